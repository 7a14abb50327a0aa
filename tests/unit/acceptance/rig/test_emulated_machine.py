"""What setup.sh makes ready for the rig's guest, as far as it needs neither a network nor root."""

from pathlib import Path

import pytest

from tests.unit.acceptance.rig.shell import CANNOT, bash

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")


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


def test_missing_programs_are_named_where_they_cannot_be_installed(tmp_path: Path) -> None:
    script = "can_install() { false; }; need_programs bash=bash no-such-program=its-package"
    done = bash(tmp_path, script)
    assert done.returncode == 1
    assert "run: sudo apt-get install its-package" in done.stderr


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
