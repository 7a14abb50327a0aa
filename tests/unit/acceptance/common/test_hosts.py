"""What each part of the rig says of its proofs where nothing can be tried."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import pytest

from tests.acceptance.arm_boot.host import INSTALL, ArmGuest
from tests.acceptance.arm_boot.proofs_in_guest import CHECKS as ARM_CHECKS
from tests.acceptance.common.table import Proof
from tests.acceptance.container.host import AGAIN, InstalledContainer
from tests.acceptance.container.host import INSTALL as INSTALL_IN_CONTAINER
from tests.acceptance.container.proofs_in_container import CHECKS as CONTAINER_CHECKS
from tests.acceptance.devices.host import Guest
from tests.acceptance.devices.proofs_in_guest import CHECKS as DEVICE_CHECKS
from tests.acceptance.picamera.host import CameraGuest
from tests.acceptance.picamera.proofs_in_guest import CHECKS as CAMERA_CHECKS


class Host(Protocol):
    def prove(self) -> Iterable[Proof]: ...


HOSTS: dict[str, tuple[Callable[[Path], Host], str, list[str]]] = {
    "arm-boot": (ArmGuest, "arm-bundle", [INSTALL, *dict(ARM_CHECKS)]),
    "container": (
        InstalledContainer, "systemd-nspawn",
        [INSTALL_IN_CONTAINER, AGAIN, *dict(CONTAINER_CHECKS)],
    ),
    "devices": (Guest, "guest-image", [*dict(DEVICE_CHECKS)]),
    "picamera": (CameraGuest, "camera-libraries", [*dict(CAMERA_CHECKS)]),
}  # fmt: skip


@pytest.mark.parametrize(("user", "why"), [(0, "The disk is full."), (1000, "")])
@pytest.mark.parametrize("word", HOSTS)
def test_where_nothing_can_be_tried_every_proof_is_not_run_and_says_why(
    word: str, user: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, part, planned = HOSTS[word]
    monkeypatch.setattr(os, "geteuid", lambda: user)
    (tmp_path / "why").mkdir()
    (tmp_path / "why" / part).write_text(why + "\n")
    proofs = list(make(tmp_path).prove())
    assert [proof.what for proof in proofs] == planned
    expected = why or f"needs root: sudo ./setup.sh rig {word}"
    assert {(proof.outcome, proof.seen) for proof in proofs} == {("not run", expected)}
