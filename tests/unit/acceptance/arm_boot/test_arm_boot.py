"""What the rig's aarch64 guest is made of, and how what happens in it is read."""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.acceptance.arm_boot import disk_image
from tests.acceptance.arm_boot.disk_image import GUEST_UNIT, Image, insmod_files, write_units
from tests.acceptance.arm_boot.foreign_root import registration
from tests.acceptance.arm_boot.host import INSTALL, ArmGuest, escape, installed_by_apt, step_of
from tests.acceptance.arm_boot.proofs_in_guest import CHECKS, read_until_both
from tests.acceptance.common.programs import RigError
from tests.acceptance.common.service import NotSoError
from tests.unit.acceptance.rig.shell import REPO_ROOT, bash

AARCH64, X86_64 = 183, 62


def elf(machine: int, kind: int = 3, abi: int = 0, bits: int = 2) -> bytes:
    return b"\x7fELF" + bytes([bits, 1, 1, abi, *[0] * 8, kind, 0, machine, 0])


def takes(line: str, head: bytes) -> bool:
    """Whether the kernel, told *line*, would give a file with this head to the program."""
    magic, mask = (bytes.fromhex(field.replace("\\x", "")) for field in line.split(":")[4:6])
    return all(
        have & bits == want & bits for have, want, bits in zip(head, magic, mask, strict=True)
    )


@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("abi", [0, 3])
def test_qemu_gets_the_programs_of_aarch64(kind: int, abi: int) -> None:
    assert takes(registration("/rig/qemu"), elf(AARCH64, kind, abi))


@pytest.mark.parametrize("head", [elf(X86_64), elf(AARCH64, bits=1), b"#!/bin/sh".ljust(20)])
def test_qemu_gets_no_other_programs(head: bytes) -> None:
    assert not takes(registration("/rig/qemu"), head)


def test_a_path_that_would_end_early_is_refused() -> None:
    with pytest.raises(ValueError, match="colon"):
        registration("/a:b/qemu")


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


def test_what_went_wrong_is_said_when_nothing_is_read() -> None:
    clock = itertools.count(0.0, 30.0)
    said = [{"event": "notice", "text": "The face reader crashed."}]
    said += [mood(t, (False, 0.0), (False, 0.0)) for t in range(9)]
    with pytest.raises(NotSoError, match="The face reader crashed"):
        read_until_both(said, 60.0, lambda: next(clock))
    assert next(clock) < 200


def test_only_drivers_with_a_file_are_copied() -> None:
    said = "builtin mc\ninsmod /k/9p.ko.xz \ninsmod /k/9pnet.ko.xz msize=1\n"
    assert insmod_files(said) == ["/k/9p.ko.xz", "/k/9pnet.ko.xz"]


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


def test_commas_in_a_path_do_not_part_options() -> None:
    assert escape(Path("/a,b/c")) == "/a,,b/c"


def test_units_of_the_guest_start_the_proofs(tmp_path: Path) -> None:
    for _ in range(2):
        write_units(tmp_path, "[Service]\n")
    assert (tmp_path / "multi-user.target.wants/proof.service").read_text() == "[Service]\n"
    assert (tmp_path / "proof.service.d/guest.conf").read_text() == GUEST_UNIT
    assert "tests.acceptance.arm_boot.proofs_in_guest" in GUEST_UNIT


def test_the_guest_has_more_patience() -> None:
    line = next(line for line in GUEST_UNIT.splitlines() if line.startswith("Environment="))
    given = dict(pair.split("=") for pair in line.removeprefix("Environment=").split())
    code = "from tests.acceptance.common import service as s; print(s.PAUSE_S, s.READY_S, s.BACK_S)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT), **given},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    wanted = [float(given[name]) for name in ("RIG_PAUSE_S", "RIG_READY_S", "RIG_BACK_S")]
    assert [float(word) for word in done.stdout.split()] == wanted


def test_without_root_nothing_is_tried_and_all_of_it_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    made = list(ArmGuest(tmp_path).prove())
    assert [proof.what for proof in made] == [INSTALL, *(what for what, _ in CHECKS)]
    assert {(proof.outcome, proof.seen) for proof in made} == {
        ("not run", "needs root: sudo ./setup.sh rig arm-boot")
    }


def test_what_could_not_be_made_ready_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "why").mkdir()
    (tmp_path / "why/arm-bundle").write_text("There is no network; connect to one.\n")
    assert {proof.seen for proof in ArmGuest(tmp_path).prove()} == {
        "There is no network; connect to one."
    }


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


def test_image_that_was_cut_off_is_made_again(
    packed: tuple[Image, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = packed
    image.pack([], "one")

    def breaks(*_: object) -> None:
        raise RigError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(disk_image, "copy_modules", breaks)
        with pytest.raises(RigError):
            image.pack([], "two")
    assert not image.file.exists()
    image.pack([], "two")
    assert image.file.exists()


UNPACK = r"""
for name in one two; do
    mkdir -p "$2/$name/DEBIAN" "$2/$name/usr/share/$name"
    echo "$name" >"$2/$name/usr/share/$name/file"
    same=no
    [ "$name" = one ] || same=same
    printf 'Package: %s\nMulti-Arch: %s\nVersion: 1\nArchitecture: arm64\nDescription: x\n' \
        "$name" "$same" >"$2/$name/DEBIAN/control"
    echo 'Maintainer: x <x@example.org>' >>"$2/$name/DEBIAN/control"
    logged dpkg-deb --root-owner-group --build "$2/$name" "$2/$name.deb"
    unpack_as_installed "$2/root" "$2/$name.deb"
done
dpkg-query --admindir="$2/root/var/lib/dpkg" --show --showformat '${Package} ${Status}\n'
"""


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs Debian's tools")
def test_what_is_unpacked_is_installed_for_dpkg(tmp_path: Path) -> None:
    done = bash(tmp_path, UNPACK)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["one install ok installed", "two install ok installed"]
    assert (tmp_path / "root/usr/share/one/file").read_text() == "one\n"
    info = tmp_path / "root/var/lib/dpkg/info"
    for name in ("one.list", "two:arm64.list"):
        package = name[:3]
        assert (info / name).read_text().splitlines() == [
            "/.", "/usr", "/usr/share", f"/usr/share/{package}", f"/usr/share/{package}/file",
        ]  # fmt: skip
