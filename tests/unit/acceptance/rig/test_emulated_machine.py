"""What setup.sh makes ready for the rig's guest, as far as it needs neither a network nor root."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.acceptance.rig.shell import CANNOT, bash

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")


def test_kernel_is_the_one_that_the_packages_name_stands_for(tmp_path: Path) -> None:
    script = r"""
    mkdir -p "$GUEST/apt-arm64/sources"
    apt-cache() { printf '%s\n' linux-image-arm64 '  Depends: linux-image-6.12.9+deb13-arm64' \
        '  Conflicts: linux-image-old'; }
    newest_kernel arm64"""
    done = bash(tmp_path, script)
    assert done.stdout == "linux-image-6.12.9+deb13-arm64\n", done.stderr


def test_apt_of_the_guest_leaves_that_of_this_machine_alone(tmp_path: Path) -> None:
    script = r"""
    mkdir -p "$GUEST/apt-amd64/sources"
    ask() { printf '%s\n' "$@"; }
    guest_apt "$GUEST" amd64 ask update"""
    said = bash(tmp_path, script).stdout.splitlines()
    own = f"{tmp_path}/guest/apt-amd64"
    for option in (f"Dir::State={own}", f"Dir::Cache={own}/cache", "APT::Architecture=amd64"):
        assert option in said
    assert said[-1] == "update"


def test_elsewhere_than_on_a_debian_it_says_so(tmp_path: Path) -> None:
    done = bash(tmp_path, "apt_sources() { mkdir -p $2; return 1; }; guest_apt $GUEST amd64 true")
    assert done.returncode == 1
    assert "Only a Debian 12 or 13 knows" in done.stderr
    assert not (tmp_path / "guest/apt-amd64/sources").exists()


def test_simulated_pins_are_one_module_without_what_modules_may_not_use(tmp_path: Path) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    for place in ("drivers/gpio", "kernel/irq"):
        (source / place).mkdir(parents=True)
    made.mkdir()
    (source / "drivers/gpio/gpio-sim.c").write_text('#include "gpiolib.h"\n')
    (source / "drivers/gpio/gpiolib.h").write_text("\n")
    (source / "kernel/irq/irq_sim.c").write_text("\thandle_simple_irq(irq_to_desc(irqnum));\n")
    done = bash(tmp_path, f"prepare_gpio_sim {source} {made}")
    assert done.returncode == 0, done.stderr
    assert (made / "irq_sim.c").read_text() == "\tgeneric_handle_irq(irqnum);\n"
    assert "gpio-sim-rig-y := gpio-sim.o irq_sim.o" in (made / "Makefile").read_text()
    assert (made / "gpiolib.h").is_file()


def test_missing_programs_are_named_where_they_cannot_be_installed(tmp_path: Path) -> None:
    script = "can_install() { false; }; need_programs bash=bash no-such-program=its-package"
    done = bash(tmp_path, script)
    assert done.returncode == 1
    assert "run: sudo apt-get install its-package" in done.stderr


@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="there is no mkfs.ext4")
def test_image_is_a_file_system_with_the_folder_in_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/word").write_text("face")
    done = bash(tmp_path, f"pack_image {tmp_path}/in {tmp_path}/image 8")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "image").stat().st_size == 8 * 1024 * 1024
    if shutil.which("debugfs"):
        read = subprocess.run(
            ["debugfs", "-R", "cat word", str(tmp_path / "image")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert read.stdout == "face"


def test_each_later_step_says_why_an_earlier_one_failed(tmp_path: Path) -> None:
    script = r"""
    echo "The disk is full." >"$RIG/why/guest-installed"
    unpack_kernel() { :; }
    need_programs() { :; }
    attempt guest-drivers make_guest_kernel
    attempt guest-image make_guest_image
    attempt guest-film make_guest_film
    cat "$RIG"/why/guest-{drivers,image,film}"""
    done = bash(tmp_path, script)
    assert done.stdout.splitlines() == ["The disk is full."] * 3, done.stderr
