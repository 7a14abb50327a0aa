"""./setup.sh uninstall on a root folder of its own."""

import shutil

import pytest

from tests.unit.setup.install_device import CANNOT, Device

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")


def test_uninstall_takes_out_what_install_put_there(device: Device) -> None:
    before = device.files()
    device.setup("install")
    device.calls()
    (device.root / "var/lib/mien").mkdir(parents=True)
    done = device.passes("uninstall")
    assert device.files() == before | {"etc/mien/config.toml"}
    calls = device.calls()
    assert calls.index(
        "systemctl stop mien-probation.service mien.service mien-splash.service"
    ) < calls.index("systemctl disable mien.service mien-probation.service")
    for kept in ("etc/mien/config.toml", "var/lib/mien"):
        assert str(device.root / kept) in done.stdout
    assert not any(call.startswith("userdel") for call in calls)
    done = device.setup("uninstall")
    assert (done.returncode, done.stdout) == (0, "Mien is not installed.\n")


def test_purge_takes_settings_calibration_and_user_as_well(device: Device) -> None:
    before = device.files()
    device.setup("install")
    (device.root / "etc/passwd").write_text("mien:x:990:990::/:/usr/sbin/nologin\n")
    state = device.root / "var/lib/mien"
    state.mkdir(parents=True)
    device.calls()
    device.passes("uninstall", "--purge")
    assert device.files() == before | {"etc/passwd"}
    assert not state.exists()
    assert any(call.startswith("userdel") and call.endswith(" mien") for call in device.calls())


def test_uninstall_dry_run_changes_nothing(device: Device) -> None:
    device.setup("install")
    before = device.files()
    device.calls()
    done = device.passes("uninstall", "--dry-run")
    assert device.files() == before
    assert device.calls() == []
    assert f"would: rm -rf {device.root}/opt/mien/releases" in done.stdout


def test_the_installed_copy_can_uninstall_itself(device: Device) -> None:
    device.setup("install")
    shutil.copytree(device.checkout / "setup", device.root / "keep")
    device.passes(
        "uninstall", script=f"{device.root}/opt/mien/current/setup.sh", PYTHON="/nonexistent"
    )
    assert not (device.root / "opt/mien").exists()


def test_mien_can_be_typed_alone_until_it_is_taken_out(device: Device) -> None:
    link = device.root / "usr/local/bin/mien"
    assert "sudo -u mien mien doctor" in device.installed().stdout
    assert str(link.readlink()) == "/opt/mien/venv/bin/mien"
    device.installed()
    device.passes("uninstall")
    assert not link.is_symlink()


def test_a_command_of_somebody_else_is_left_alone(device: Device) -> None:
    other = device.root / "usr/local/bin/mien"
    other.parent.mkdir(parents=True)
    other.write_text("another mien")
    assert "sudo -u mien /opt/mien/venv/bin/mien doctor" in device.installed().stdout
    device.passes("uninstall")
    assert other.read_text() == "another mien"
