"""The rig's guest with libcamera's virtual camera: how its pictures are judged, and what is told."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.acceptance.picamera.bar_pattern import row, shift_px
from tests.acceptance.picamera.host import CameraGuest
from tests.acceptance.picamera.proofs_in_guest import tried
from tests.acceptance.picamera.service_rules import copied
from tests.unit.acceptance.rig.shell import REPO_ROOT

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


def test_wrong_colors_of_a_wide_standard_are_found() -> None:
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


def test_guest_that_ends_early_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = CameraGuest(tmp_path)
    monkeypatch.setattr(guest, "obstacle", lambda: "")
    monkeypatch.setattr(guest, "command", lambda: ["true"])
    monkeypatch.setattr("tests.acceptance.devices.host.LOOK_S", 0.01)
    proofs = list(guest.prove())
    assert (proofs[0].what, proofs[0].outcome) == ("The guest itself", "FAILED")
    assert {proof.outcome for proof in proofs[1:]} == {"not run"}


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
