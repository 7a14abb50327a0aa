"""The boot configuration of a Raspberry Pi, and which GPIO library gets installed."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.unit.setup.install_device import CANNOT, Device, bash

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")

USUAL = """# For more options see the documentation
#dtparam=i2c_arm=on
dtparam=audio=on

[cm4]
otg_mode=1

[all]
"""
BLOCK = """# Mien begins (made by setup.sh install)
[all]
dtparam={}
# Mien ends
"""


@pytest.fixture
def pi(device: Device) -> Device:
    device.model.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    config(device).parent.mkdir(parents=True)
    config(device).write_text(USUAL)
    return device


def config(device: Device) -> Path:
    return device.root / "boot/firmware/config.txt"


def test_i2c_is_switched_on_at_400_khz_after_showing_the_change(pi: Device) -> None:
    done = pi.installed("--yes")
    assert config(pi).read_text() == USUAL + BLOCK.format("i2c_arm=on,i2c_arm_baudrate=400000")
    assert "+dtparam=i2c_arm=on,i2c_arm_baudrate=400000" in done.stdout
    assert "sudo reboot" in done.stdout


def test_the_boot_configuration_stays_unless_somebody_agrees(pi: Device) -> None:
    done = pi.installed()
    assert config(pi).read_text() == USUAL
    assert "+dtparam=i2c_arm=on" in done.stdout
    assert "left alone; add dtparam=" in done.stderr
    assert "reboot" not in done.stdout


@pytest.mark.parametrize(("answer", "written"), [("y", True), ("n", False), ("", False)])
def test_a_person_at_the_terminal_is_asked(pi: Device, answer: str, written: bool) -> None:
    script = f"echo '{answer}' >answer; script -qec './setup.sh install' /dev/null <answer; :"
    if shutil.which("script") is None:
        pytest.skip("needs script")
    done = pi.setup(script=script)
    assert "Write this change? [y/N]" in done.stdout
    assert ("i2c_arm_baudrate" in config(pi).read_text()) is written


def test_dry_run_shows_the_change_and_leaves_it(pi: Device) -> None:
    done = pi.setup("install", "--dry-run", "--yes")
    assert "+dtparam=i2c_arm=on" in done.stdout
    assert "switched on" not in done.stderr
    assert config(pi).read_text() == USUAL


def test_installing_twice_changes_the_boot_configuration_once(pi: Device) -> None:
    pi.setup("install", "--yes")
    once = config(pi).read_text()
    done = pi.setup("install", "--yes")
    assert config(pi).read_text() == once
    assert "I2C: as it should be" in done.stderr
    assert "reboot" not in done.stdout


def test_uninstall_leaves_the_boot_configuration_as_it_was(pi: Device) -> None:
    pi.setup("install", "--yes")
    config(pi).write_text(config(pi).read_text() + "dtoverlay=added-later\n")
    pi.passes("uninstall", "--yes")
    assert config(pi).read_text() == USUAL + "dtoverlay=added-later\n"


def test_uninstall_says_so_when_the_boot_configuration_may_not_be_changed(pi: Device) -> None:
    pi.setup("install", "--yes")
    done = pi.setup("uninstall")
    assert "Mien begins" in config(pi).read_text()
    assert f'"# Mien ends" in {config(pi)}' in done.stdout


@pytest.mark.parametrize(
    ("present", "lacks"),
    [
        ("", "i2c_arm=on,i2c_arm_baudrate=400000"),
        ("dtparam=i2c_arm=on", "i2c_arm_baudrate=400000"),
        ("dtparam=i2c=on,spi=on", "i2c_arm_baudrate=400000"),
        ("dtparam=i2c_arm=on\r", "i2c_arm_baudrate=400000"),
        # A speed that somebody chose stays.
        ("dtparam=i2c_arm=on,i2c_arm_baudrate=100000", ""),
        ("dtparam=i2c_arm_baudrate=100000", "i2c_arm=on"),
        ("dtparam=i2c_arm=off", "i2c_arm=on,i2c_arm_baudrate=400000"),
        ("#dtparam=i2c_arm=on", "i2c_arm=on,i2c_arm_baudrate=400000"),
        # Only for another model.
        ("[pi3]\ndtparam=i2c_arm=on", "i2c_arm=on,i2c_arm_baudrate=400000"),
        ("[pi3]\nx=1\n[all]\ndtparam=i2c_arm=on", "i2c_arm_baudrate=400000"),
    ],
)
def test_adds_only_what_is_not_there(pi: Device, present: str, lacks: str) -> None:
    config(pi).write_bytes(present.encode() + b"\n")
    pi.setup("install", "--yes")
    added = BLOCK.format(lacks) if lacks else ""
    assert config(pi).read_bytes().decode() == present + "\n" + added


def test_a_boot_configuration_that_cannot_be_written_stays_whole(pi: Device) -> None:
    pi.has_no_room_for("*config.txt*")
    done = pi.installed("--yes")
    assert config(pi).read_text() == USUAL
    assert [path.name for path in config(pi).parent.iterdir()] == ["config.txt"]
    assert "left alone" in done.stderr
    assert "reboot" not in done.stdout


def test_spi_is_switched_on_when_asked_for(pi: Device) -> None:
    pi.setup("install", "--yes", "--spi")
    assert "i2c_arm_baudrate=400000,spi=on\n" in config(pi).read_text()


def test_a_block_without_its_end_is_nobodys_to_delete(pi: Device) -> None:
    torn = USUAL + "# Mien begins (made by setup.sh install)\ndtoverlay=vital\n"
    config(pi).write_text(torn)
    pi.setup("uninstall", "--yes")
    pi.setup("install", "--yes")
    assert "dtoverlay=vital\n" in config(pi).read_text()


def test_other_machines_have_no_boot_configuration_to_change(device: Device) -> None:
    done = device.setup("install", "--yes")
    assert "I2C: nothing to switch here" in done.stderr


@pytest.mark.parametrize(
    ("installed", "complains"),
    [([], False), (["rpi-lgpio"], False), (["RPi.GPIO", "rpi-lgpio"], True)],
)
def test_two_gpio_libraries_are_never_left_together(
    tmp_path: Path, installed: list[str], complains: bool
) -> None:
    venv = tmp_path / "venv"
    site = venv / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    site.mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin/python").symlink_to(sys.executable)
    (venv / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
    for name in installed:
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    script = (
        'REPO_ROOT=$PWD; for piece in steps install install_release; do . "setup/$piece.sh"; done;'
        f"VENV={venv}; RELEASE={venv}; check_gpio_library"
    )
    done = bash(script)
    assert (done.returncode != 0) is complains, done.stderr
    assert ("RPi.GPIO rpi-lgpio are installed beside each other" in done.stderr) is complains
