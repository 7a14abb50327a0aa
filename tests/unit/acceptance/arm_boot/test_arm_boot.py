"""What the rig's aarch64 guest is made of, and how what happens in it is read."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.acceptance.arm_boot import disk_image
from tests.acceptance.arm_boot.disk_image import Image
from tests.acceptance.arm_boot.host import installed_by_apt, step_of
from tests.acceptance.arm_boot.proofs_in_guest import read_until_both
from tests.acceptance.common.service import NotSoError


def mood(t: float, face: tuple[bool, float], voice: tuple[bool, float]) -> dict[str, Any]:
    senses = {
        name: {"present": present, "quality": 0.5, "share": share}
        for name, (present, share) in (("face", face), ("voice", voice))
    }
    return {
        "event": "mood", "t": t, "shown": "happy", "probabilities": {"sad": 0.1, "happy": 0.9},
        **senses,
    }  # fmt: skip


def test_reading_ends_with_the_first_mood_in_which_both_senses_had_a_share() -> None:
    said = [
        {"event": "hello", "schema": 1},
        mood(1.0, (False, 0.0), (False, 0.0)),
        mood(6.0, (True, 1.0), (False, 0.0)),
        mood(7.5, (True, 0.6), (True, 0.4)),
        mood(8.0, (True, 0.6), (True, 0.9)),
    ]
    seen = read_until_both(said, 60.0)
    assert seen.startswith(
        "face read 6.0 s into its run (quality 0.50, share 1.00); voice read 7.5"
    )
    assert seen.endswith("shown: happy, likeliest happy 0.90")


senses = st.tuples(st.booleans(), st.sampled_from([0.0, 0.3]))


@given(st.lists(st.tuples(senses, st.just((True, 0.0)) | st.just((False, 0.3))), max_size=6))
def test_somebody_who_is_only_seen_has_not_been_heard(
    moods: list[tuple[tuple[bool, float], tuple[bool, float]]],
) -> None:
    said = [mood(number, face, voice) for number, (face, voice) in enumerate(moods)]
    with pytest.raises(NotSoError, match="read so far"):
        read_until_both(said, 60.0)


def test_result_of_a_step_is_found_without_its_time() -> None:
    said = "[1/13] Board: none (x) (1 s)\n[2/13] Bundle …\n[2/13] Bundle: Python 3.13 (45 s)\n"
    assert step_of(said, "Bundle") == "Python 3.13"
    assert step_of(said, "Board") == "none (x)"
    assert step_of(said, "Service") == ""


def test_packages_of_apt_are_those_that_dpkg_has_set_up(tmp_path: Path) -> None:
    assert installed_by_apt(tmp_path) == []
    log = tmp_path / "var/log/dpkg.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "2026-01-01 00:00:00 status unpacked libopus0:arm64 1.5\n"
        "2026-01-01 00:00:01 status installed libopus0:arm64 1.5\n"
        "2026-01-01 00:00:02 status installed portaudio19-dev:arm64 19\n"
        "2026-01-01 00:00:02 startup packages configure\n"
    )
    assert installed_by_apt(tmp_path) == ["libopus0", "portaudio19-dev"]


class Merged:
    """Stands in for folders laid over each other, which takes root."""

    def __init__(self, lower: Sequence[Path], scratch: Path) -> None:
        self.scratch = scratch

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Path]:
        (self.scratch / "etc/systemd/system").mkdir(parents=True)
        (self.scratch / "var").mkdir()
        yield self.scratch

    def discard(self) -> None:
        shutil.rmtree(self.scratch)


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Image, list[str]]:
    programs: list[str] = []

    def run(command: Sequence[str], log: Path, limit_s: float) -> str:
        programs.append(command[0])
        return "100 /root" if command[0] == "du" else ""

    monkeypatch.setattr(disk_image, "Layers", Merged)
    monkeypatch.setattr(disk_image, "run", run)
    monkeypatch.setattr(disk_image, "copy_modules", lambda *_: None)
    kernel = tmp_path / "kernel"
    kernel.mkdir()
    (kernel / "version").write_text("6.12\n")
    return Image(tmp_path / "image", kernel, tmp_path / "logs"), programs


def test_image_is_made_once_for_each_installation(packed: tuple[Image, list[str]]) -> None:
    image, programs = packed
    for made_of in ("one", "one", "two", "two"):
        image.pack([], made_of)
    assert programs == ["du", "mkfs.ext4"] * 2
    assert image.file.stat().st_size == 125 * 1024**2
