"""What `./setup.sh rig` makes ready, and what it says when it cannot."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.acceptance.rig.shell import CANNOT, REPO_ROOT, bash

pytestmark = pytest.mark.skipif(CANNOT, reason="set-up needs bash and the checkout")


def rig(house: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = ["bash", str(house / "setup.sh"), "rig", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_part_that_there_is_not_is_refused() -> None:
    words = (
        'takes container, devices, arm-nets, arm-boot, picamera, upgrades, soak or start, not "z"'
    )
    done = rig(REPO_ROOT, "container", "z")
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    "words", [["soak", "--minutes", "-1"], ["soak", "--output", "x"], ["start", "x"]]
)
def test_a_wrong_flag_of_the_soak_is_refused_before_anything_is_made_ready(
    tmp_path: Path, words: list[str]
) -> None:
    for name in ("setup.sh", "setup", "tests", "edge"):
        (tmp_path / name).symlink_to(REPO_ROOT / name)
    done = rig(tmp_path, *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: ./setup.sh rig {words[0]}")
    assert not (tmp_path / "var").exists()


def test_where_there_are_no_tests_it_says_where_the_rig_is(tmp_path: Path) -> None:
    shutil.copy(REPO_ROOT / "setup.sh", tmp_path)
    shutil.copytree(REPO_ROOT / "setup", tmp_path / "setup")
    done = rig(tmp_path, "container")
    assert done.returncode == 1
    assert done.stderr.startswith("setup: The rig comes with the source repository")
    assert done.stderr.count("\n") == 1


ATTEMPTS = r"""
falls() { step "One"; die "There is no network; connect to one."; }
breaks() { step "Two"; false; echo went on; }
works() { step "Three"; finish "ready"; }
attempt first falls
attempt second breaks
attempt third works
echo "at step $STEP"
"""


def test_what_cannot_be_made_ready_is_noted_and_the_rest_goes_on(tmp_path: Path) -> None:
    done = bash(tmp_path, ATTEMPTS)
    assert done.stdout.splitlines() == ["at step 3"], done.stderr
    assert (tmp_path / "why/first").read_text() == "There is no network; connect to one.\n"
    assert "could not be made ready" in (tmp_path / "why/second").read_text()
    assert not (tmp_path / "why/third").exists()
    assert "[3/6] Three: ready" in done.stderr
