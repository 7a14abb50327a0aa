"""./setup.sh install on a root folder of its own, with tools that only record."""

import pytest

from tests.unit.setup.install_device import CANNOT, Device

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")


SYSTEM_FILES = {
    "etc/systemd/system/mien.service",
    "etc/systemd/system/mien-splash.service",
    "etc/systemd/system/mien-probation.service",
    "etc/sysusers.d/mien.conf",
    "etc/tmpfiles.d/mien.conf",
    "etc/udev/rules.d/60-mien.rules",
    "etc/modules-load.d/mien.conf",
    "etc/mien/config.toml",
}


def test_installs_everything_and_starts_it(device: Device) -> None:
    done = device.installed()
    assert device.files() >= SYSTEM_FILES
    assert (device.root / "opt/mien/venv/bin/mien").is_file()
    assert (device.root / "opt/mien/current/edge/__init__.py").is_file()
    calls = device.calls()
    order = [
        "systemctl daemon-reload",
        "systemd-sysusers mien.conf",
        "systemd-tmpfiles --create mien.conf",
        "udevadm control --reload",
        "systemctl enable mien.service",
        "systemctl daemon-reload",
        "systemctl restart mien.service",
    ]
    assert [call for call in calls if call in order] == order
    assert device.current().startswith("1.2.3-")
    assert "[12/12] Service: runs" in done.stderr


def test_dry_run_prints_every_step_and_changes_nothing(device: Device) -> None:
    before = device.files()
    done = device.installed("--dry-run")
    assert device.files() == before
    assert device.calls() == []
    assert not (device.checkout / "var").exists()
    for name in SYSTEM_FILES:
        assert f"would: write {device.root}/{name}" in done.stdout
    for words in ("systemd-sysusers", "enable mien.service", "restart mien.service", "-m venv"):
        assert words in done.stdout
    # In the order in which it would happen, so all of it on one stream.
    assert "[12/12] Service" in done.stdout
    assert done.stderr == ""
    assert done.stdout.endswith("Nothing was changed.\n")


def test_what_the_service_reads_is_readable_by_it(device: Device) -> None:
    for path in device.checkout.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.suffix == ".sh" else 0o600)
    device.installed(script="umask 077; ./setup.sh")
    for path in (device.root / "opt/mien").rglob("*"):
        if not path.is_symlink() and "var" not in path.parts:
            wanted = 0o005 if path.is_dir() else 0o004
            assert path.stat().st_mode & wanted == wanted, path
    assert (device.root / "etc/mien/config.toml").stat().st_mode & 0o777 == 0o644


def test_installing_twice_is_as_once(device: Device) -> None:
    device.setup("install")
    before, release = device.files(), device.current()
    done = device.installed()
    assert device.files() == before
    assert device.releases() == [release]
    assert "there already" in done.stderr


def test_upgrade_keeps_the_settings_and_the_version_before(device: Device) -> None:
    old = device.outdated()
    settings = device.root / "etc/mien/config.toml"
    settings.write_text("# mine\n")
    done = device.installed()
    assert settings.read_text() == "# mine\n"
    assert device.current().startswith("1.3.0-")
    assert f"Mien {device.current()} has passed its probation" in done.stderr
    assert device.releases() == sorted([old, device.current()])
    assert f"mien config check {settings}" in device.calls()
    # One is kept, not all.
    second = device.current()
    device.bring("1.4.0")
    device.installed()
    assert device.releases() == sorted([second, device.current()])


def test_an_upgrade_that_does_less_than_the_version_before_goes_back_whole(device: Device) -> None:
    old = device.outdated()
    before = device.files()
    said = device.refuses("install", BROKEN="1.3.0")
    assert "did not pass its probation: it ended with exit code 1 within " in said
    assert f"{old} is back." in said
    assert (device.current(), device.releases()) == (old, [old])
    assert device.files() - before == {"opt/mien/last-upgrade.json"}
    for name in ("etc/systemd/system/mien.service", "etc/mien/config.toml"):
        assert "# of 1.3.0" not in (device.root / name).read_text()
    assert device.calls()[-1] == "systemctl restart --no-block mien.service"


def test_an_upgrade_that_does_not_pass_its_self_test_is_removed_and_never_switched_in(
    device: Device,
) -> None:
    old = device.outdated()
    said = device.refuses("install", SELF_TEST="mien: The voice model is damaged.")
    assert "did not pass its self-test: The voice model is damaged." in said
    assert f"Mien {old} stays." in said
    assert (device.current(), device.releases()) == (old, [old])
    assert not any("restart" in call for call in device.calls())


def test_rollback_puts_the_version_before_back_with_all_that_belongs_to_it(device: Device) -> None:
    old = device.outdated()
    device.installed()
    new = device.current()
    settings = device.root / "etc/mien/config.toml"
    assert "# of 1.3.0" in device.unit()
    assert "# of 1.3.0" in settings.read_text()
    assert (
        f"would: put releases/{old} in the place" in device.passes("rollback", "--dry-run").stdout
    )
    assert device.current() == new
    device.passes("rollback", script=f"{device.root}/opt/mien/current/setup.sh")
    assert device.current() == old
    assert "# of 1.3.0" not in device.unit() + settings.read_text()
    device.passes("rollback")
    assert device.current() == new
    assert "# of 1.3.0" in device.unit()


def test_rollback_says_when_there_is_nothing_to_go_back_to(device: Device) -> None:
    assert "Mien is not installed" in device.refuses("rollback")
    device.installed()
    assert "no other version" in device.refuses("rollback")


def test_a_shell_that_is_closed_during_the_switch_leaves_the_rest_to_the_guard(
    device: Device,
) -> None:
    old = device.outdated()
    # Nobody runs the guard: the shell ends, the machine is started again.
    device.refuses("install", GUARD_IS_LATE="yes")
    assert device.current() == old
    assert "An upgrade is on probation" in device.refuses("install")
    pending = device.root / "opt/mien/probation.json"
    pending.write_text(pending.read_text().replace('"boot": "', '"boot": "before-'))
    device.passes(script="systemctl start --no-block mien-probation.service #")
    assert (device.current(), device.releases()) == (old, [old])
    outcome = (device.root / "opt/mien/last-upgrade.json").read_text()
    assert "the machine stopped before its probation was over" in outcome


def test_upgrade_stops_before_settings_that_it_does_not_understand(device: Device) -> None:
    old = device.outdated("2.0.0")
    said = device.refuses("install", SETTINGS_ARE_WRONG="2")
    assert "does not understand" in said
    assert device.current() == old
    assert not any("restart mien.service" in call for call in device.calls())


def test_goes_on_after_being_cut_off_while_packages_are_installed(device: Device) -> None:
    old = device.outdated()
    done = device.setup("install", CUT_OFF="yes")
    assert done.returncode == 9
    # The one that runs has not been touched.
    assert device.current() == old
    assert not any("restart" in call for call in device.calls())
    device.installed()
    assert device.current().startswith("1.3.0-")


def test_the_old_version_runs_on_wherever_an_upgrade_is_killed(device: Device) -> None:
    old = device.outdated()
    for step in range(3, 12):
        done = device.setup("install", KILL_AT=str(step))
        assert done.returncode in (-9, 137), step
        assert device.current() == old
        assert (device.root / "opt/mien/venv/bin/mien").is_file()
        assert not any("systemctl restart mien" in call for call in device.calls())
    device.installed()
    assert device.releases() == sorted([device.current(), old])
    assert device.files() >= SYSTEM_FILES


@pytest.mark.parametrize("decides", ["locks/run.txt", "compiled/spidev-3.8-cp313-linux_x86_64.whl"])
def test_another_lock_is_another_release(device: Device, decides: str) -> None:
    device.setup("install")
    old = device.current()
    file = device.checkout / decides
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as text:
        text.write("# another version\n")
    device.installed()
    assert device.current() != old
    assert (device.root / "opt/mien/current/locks/run.txt").read_bytes() == (
        device.checkout / "locks/run.txt"
    ).read_bytes()


def test_takes_no_half_copied_version_for_a_whole_one(device: Device) -> None:
    left = device.root / "opt/mien/releases/.part/edge"
    left.mkdir(parents=True)
    (left / "half.py").touch()
    (device.root / "opt/mien/.made-by-mien").touch()
    device.installed()
    assert device.releases() == [device.current()]
    assert not (device.root / "opt/mien/current/edge/half.py").exists()


def test_an_environment_from_before_a_power_cut_is_made_anew(device: Device) -> None:
    device.setup("install", CUT_OFF="yes")
    (release,) = (device.root / "opt/mien/releases").iterdir()
    empty = release / "venv/empty-after-the-power-cut.py"
    empty.touch()
    (release / "venv/.mien-boot").write_text("another start of the machine\n")
    device.installed()
    assert not empty.exists()


def test_a_folder_of_somebody_else_is_left_alone(device: Device) -> None:
    other = device.root / "opt/mien/precious"
    other.mkdir(parents=True)
    assert "was not made by ./setup.sh" in device.refuses("install")
    assert other.exists()


def test_needs_root_and_says_how(device: Device) -> None:
    script = "id() { echo 1000; }; export -f id; ./setup.sh"
    for word in ("install", "uninstall"):
        (device.root / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
        done = device.setup(word, script=script, MIEN_ROOT="")
        if word == "uninstall" and "not installed" in done.stdout:
            continue  # nothing to take out of the machine that runs the tests
        assert done.returncode == 1
        assert f"sudo ./setup.sh {word}" in done.stderr


def test_a_file_that_cannot_be_written_is_named(device: Device) -> None:
    device.has_no_room_for("*probation*")
    said = device.refuses("install")
    assert "mien-probation.service cannot be written." in said
    assert "full disk" in said
    assert not any(".mien-new" in name for name in device.files())


def test_unknown_flags_are_refused(device: Device) -> None:
    for words in (["install", "--purge"], ["uninstall", "--spi"], ["install", "now"]):
        done = device.setup(*words)
        assert done.returncode == 2
        assert f'setup.sh {words[0]} does not know "{words[1]}"' in done.stderr
    assert device.calls() == []


def test_a_system_without_systemd_is_told_so(device: Device) -> None:
    script = (
        'command() { case $* in *systemd-sysusers) return 1 ;; esac; builtin command "$@"; };'
        "export -f command; ./setup.sh"
    )
    said = device.refuses("install", script=script)
    assert "There is no systemd-sysusers here" in said


def test_while_an_image_is_made_the_service_is_enabled_but_not_started(device: Device) -> None:
    (device.root / "run/systemd/system").rmdir()
    done = device.installed()
    calls = device.calls()
    assert "systemctl enable mien.service" in calls
    assert not any("restart" in call or "daemon-reload" in call for call in calls)
    assert "starts with the machine" in done.stderr


def test_a_jetson_gets_its_bus_its_pins_and_its_drop_in(device: Device) -> None:
    device.model.write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    device.installed()
    settings = (device.root / "etc/mien/config.toml").read_text()
    assert "i2c_port = 7" in settings
    drop_in = device.root / "etc/systemd/system/mien.service.d/jetson.conf"
    assert "ProtectKernelTunables=no" in drop_in.read_text()
