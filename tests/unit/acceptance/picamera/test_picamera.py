"""The rig's guest with libcamera's virtual camera: how its pictures are judged, and what is told."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.acceptance.__main__ import _part
from tests.acceptance.picamera import host, proofs_in_guest
from tests.acceptance.picamera.bar_pattern import row, shift_px
from tests.acceptance.picamera.host import CameraGuest
from tests.acceptance.picamera.libcamera_shim import planar
from tests.acceptance.picamera.proofs_in_guest import CHECKS, tried
from tests.acceptance.picamera.service_rules import copied
from tests.unit.acceptance.rig.shell import REPO_ROOT, bash

PICAMERA = REPO_ROOT / "tests/acceptance/picamera"


def through_a_camera(shift: int, size: tuple[int, int] = (640, 480)) -> NDArray[np.uint8]:
    """The pattern as a camera gives it: with one colour for two columns."""
    width, height = size
    drawn = np.broadcast_to(row(width, shift), (height, width, 3)).copy()
    planes = cv2.cvtColor(drawn, cv2.COLOR_RGB2YUV_I420)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420), np.uint8)


@pytest.mark.parametrize("shift", [0, 1, 7, 79, 80, 81, 322, 560, 639])
def test_movement_of_the_bars_is_read_to_the_pixel(shift: int) -> None:
    assert shift_px(through_a_camera(shift)) == shift


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda image: image[..., ::-1], id="red and blue exchanged"),
        pytest.param(lambda image: image * 0, id="black"),
        pytest.param(lambda image: image * 0 + 255, id="white"),
        pytest.param(lambda image: image[:, ::-1], id="mirrored"),
        pytest.param(lambda image: np.roll(image, 9, axis=1) * (image > 0), id="torn"),
        pytest.param(lambda image: np.vstack([image[:240], image[:240] // 2]), id="half dark"),
        pytest.param(lambda image: cv2.resize(image, (640, 480))[:, :320].repeat(2, 1), id="cropped"),
    ],
)  # fmt: skip
def test_whatever_is_not_the_pattern_is_refused(
    spoil: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    with pytest.raises(ValueError, match="picture"):
        shift_px(spoil(through_a_camera(33)))


def test_wrong_colours_of_a_wide_standard_are_found() -> None:
    # Rec. 709's luma read as BT.601's, which is what a camera asked for no colour space would give.
    drawn = np.broadcast_to(row(640, 5), (480, 640, 3)) / 255.0
    luma = drawn @ (0.2126, 0.7152, 0.0722)
    blue = (drawn[..., 2] - luma) / (2 - 2 * 0.0722)
    red = (drawn[..., 0] - luma) / (2 - 2 * 0.2126)
    planes = np.vstack(
        [
            16 + 219 * luma,
            (128 + 224 * blue[::2, ::2]).reshape(120, 640),
            (128 + 224 * red[::2, ::2]).reshape(120, 640),
        ]
    )
    seen = cv2.cvtColor(np.rint(planes).astype(np.uint8), cv2.COLOR_YUV2RGB_I420)
    with pytest.raises(ValueError, match="differs from the pattern"):
        shift_px(np.asarray(seen, np.uint8))


def test_colours_in_turns_become_two_planes() -> None:
    in_turns = np.array([1, 101, 2, 102, 3, 103], np.uint8)
    assert planar(in_turns).tolist() == [1, 2, 3, 101, 102, 103]


def test_every_check_is_one_that_there_is() -> None:
    files = [PICAMERA / f"{name}.py" for name in ("adapter_checks", "service_rules")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    names = [name for _, name in CHECKS]
    assert len(set(names)) == len(names)
    assert [name for name in names if f"\ndef {name}() -> str:" not in text] == []


def test_check_tells_what_it_saw_or_why_it_failed() -> None:
    def fails() -> str:
        raise AssertionError("the bars stand still")

    assert tried(lambda: "seen") == ("passed", "seen")
    assert tried(fails) == ("FAILED", "the bars stand still")


def test_check_that_takes_its_process_with_it_has_failed() -> None:
    def falls() -> str:
        os._exit(7)

    assert tried(falls) == ("FAILED", "the process ended with 7")


def test_check_that_hangs_is_ended() -> None:
    def hangs() -> str:
        time.sleep(600)
        return ""

    assert tried(hangs, limit_s=0.2) == ("FAILED", "it was not done within 0 s")


def test_without_what_it_needs_every_proof_says_why(tmp_path: Path) -> None:
    (tmp_path / "why").mkdir()
    (tmp_path / "why/camera-libraries").write_text("There is no network.\n")
    proofs = list(CameraGuest(tmp_path).prove())
    assert [proof.what for proof in proofs] == [what for what, _ in CHECKS]
    assert {(proof.outcome, proof.seen) for proof in proofs} == {
        ("not run", "There is no network.")
    }


def test_guest_that_ends_early_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = CameraGuest(tmp_path)
    monkeypatch.setattr(guest, "obstacle", lambda: "")
    monkeypatch.setattr(guest, "command", lambda: ["true"])
    monkeypatch.setattr("tests.acceptance.devices.host.LOOK_S", 0.01)
    proofs = list(guest.prove())
    assert (proofs[0].what, proofs[0].outcome) == ("The guest itself", "FAILED")
    assert {proof.outcome for proof in proofs[1:]} == {"not run"}


def test_results_go_where_the_host_reads_them(tmp_path: Path) -> None:
    command = CameraGuest(tmp_path).command()
    # The second of the serial ports is the guest's ttyS1.
    assert [part for part in command if part.startswith("file:/")][1].endswith("results.jsonl")
    assert proofs_in_guest.RESULTS == "/dev/ttyS1"
    unit = (PICAMERA / "rig-camera-proofs.service").read_text(encoding="utf-8")
    assert "-m tests.acceptance.picamera.proofs_in_guest" in unit
    assert "systemd.unit=rig-camera-proofs.service" in command[command.index("-append") + 1]


def test_program_under_the_rules_of_the_service_loses_none_of_them() -> None:
    unit = (REPO_ROOT / "systemd/mien.service").read_text(encoding="utf-8")
    made = copied(unit, "/usr/bin/true", "A=b").splitlines()
    assert made.count("ExecStart=/usr/bin/true") == 1
    assert [line for line in made if line.startswith(("Exec", "Type="))] == [
        "Type=oneshot",
        "ExecStart=/usr/bin/true",
    ]
    rules = ("DevicePolicy=closed", "User=mien", "MemoryDenyWriteExecute=yes", "PrivateNetwork=yes")
    assert set(rules) <= set(made)
    lost = set(unit.splitlines()) - set(made)
    assert {line.partition("=")[0] for line in lost} == {
        *("Type", "NotifyAccess", "ExecStartPre", "ExecStart", "ExecReload"),
        *("Restart", "RestartSec"),
        *("RestartPreventExitStatus", "WatchdogSec", "WatchdogSignal", "WantedBy"),
        *("StandardInput", "StandardOutput", "StandardError"),
    }


def test_virtual_camera_has_both_sizes_that_picamera2_asks_for() -> None:
    text = (PICAMERA / "virtual_camera.yaml").read_text(encoding="utf-8")
    for width, height in ((640, 480), (1280, 960)):
        assert f"width: {width}\n      height: {height}\n" in text


def test_each_later_step_says_why_an_earlier_one_failed(tmp_path: Path) -> None:
    script = r"""
    id() { echo 0; }
    need_programs() { :; }
    unpack_kernel() { :; }
    make_initrd() { :; }
    mkdir -p "$GUEST/kernel-amd64"; echo 6.12 >"$GUEST/kernel-amd64/version"
    install_for_guest() { step "Mien"; die "There is no bundle."; }
    ready_for_picamera
    for name in guest-installed camera-kernel camera-libraries camera-disk; do
        echo "$name: $(cat "$RIG/why/$name" 2>/dev/null)"
    done"""
    done = bash(tmp_path, script)
    assert done.stdout.splitlines() == [
        "guest-installed: There is no bundle.",
        "camera-kernel: ",
        "camera-libraries: There is no bundle.",
        "camera-disk: There is no bundle.",
    ], done.stderr


@pytest.mark.parametrize(("installed", "called"), [(False, "container camera"), (True, "camera")])
def test_container_is_made_only_where_nothing_is_installed_yet(
    tmp_path: Path, installed: bool, called: str
) -> None:
    script = r"""
    open_log() { :; }
    heading() { :; }
    find_python() { PY=true; }
    ready_for_container() { echo container; }
    ready_for_picamera() { echo camera; }
    rig_mien picamera"""
    if installed:
        (tmp_path / "installed").mkdir()
        (tmp_path / "installed/made").touch()
    done = bash(tmp_path, script)
    assert done.stdout.split() == called.split(), done.stderr


def test_part_is_found_by_its_word(tmp_path: Path) -> None:
    title, _ = _part("picamera", tmp_path)
    assert title == host.TITLE


def test_needs_root_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "sudo ./setup.sh rig picamera" in CameraGuest(tmp_path).obstacle()
    assert host.TITLE.startswith("picamera: ")
