"""Keeps a calibration: sixteen numbers in a small JSON file that only its owner may read."""

import errno
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.calibration.prior import LEAST_S, Baseline, Calibration, fingerprint
from edge.emotions import EMOTIONS
from edge.errors import SettingsError
from edge.perception.manifest import Manifest
from edge.process.regular_files import open_regular, read_regular
from edge.process.written_files import nearest_there

_AGAIN: Final = "run `mien calibrate` again, or `mien calibrate --reset` to do without"
_MARK: Final = b'"mien_calibration"'
_LARGEST_BYTES: Final = 16_384
"""Ours have less than 1 kB; a larger file is something else."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _StoredBaseline(_Part):
    mean_log: Annotated[
        tuple[Annotated[float, Field(ge=-50, le=0)], ...],
        Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS)),
    ]
    seconds: Annotated[float, Field(ge=LEAST_S, le=3600)]
    model: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _File(_Part):
    mien_calibration: Literal[1]
    """Version of this form, and the mark of a file of ours."""
    emotions: tuple[str, ...]
    """Order of the numbers, for a person who looks inside."""
    face: _StoredBaseline | None
    voice: _StoredBaseline | None


def load_calibration(file: Path) -> Calibration:
    """Read what `save_calibration` wrote; nothing is known when there is no such file.

    Raises:
        SettingsError: it cannot be read, or is no calibration of this version.
    """
    try:
        raw = read_regular(file, _LARGEST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return Calibration()
    except OSError as error:
        raise _unreadable(file, error) from error
    if not _is_ours(raw):
        raise SettingsError(_foreign(file))
    try:
        kept = _File.model_validate_json(raw)
        if kept.emotions != EMOTIONS:
            raise ValueError("other emotions")
    except (ValidationError, ValueError) as error:
        raise SettingsError(f"{file} is no calibration of this Mien; {_AGAIN}.") from error
    face, voice = (
        None if rest is None else Baseline(rest.mean_log, rest.seconds, rest.model)
        for rest in (kept.face, kept.voice)
    )
    return Calibration(face, voice)


def fitting(calibration: Calibration, manifest: Manifest) -> tuple[Calibration, str]:
    """The part that was made with the models of *manifest*, and a sentence on the rest or ""."""
    face, voice = calibration.face, calibration.voice
    foreign = []
    if face is not None and face.model != fingerprint(manifest.face):
        face, foreign = None, ["face"]
    if voice is not None and voice.model != fingerprint(manifest.voice):
        voice, foreign = None, [*foreign, "voice"]
    if not foreign:
        return calibration, ""
    return Calibration(face, voice), (
        f"The calibration of the {' and the '.join(foreign)} was made with another model and is "
        f"not used: {_AGAIN}."
    )


def save_calibration(calibration: Calibration, file: Path) -> None:
    """Write *calibration* to *file* in one go, mode 0600, making its folder if need be.

    Written by root into the folder of another user (the service's state folder), it is given to
    that user, who has to read it.

    Raises:
        SettingsError: it cannot be written, or another kind of file is there; says what to do.
    """
    _refuse_foreign(file)
    kept = {
        "mien_calibration": 1,
        "emotions": EMOTIONS,
        "face": _rounded(calibration.face),
        "voice": _rounded(calibration.voice),
    }
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
        partial = Path(name)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as stream:
                stream.write(json.dumps(kept, indent=1, allow_nan=False) + "\n")
                stream.flush()
                owner = file.parent.stat()
                if os.geteuid() == 0 and owner.st_uid != 0:
                    os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
                os.fsync(stream.fileno())
            partial.replace(file)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise _unwritable(file, error) from error


def check_writable(file: Path) -> None:
    """See whether a calibration could be written to *file*, before anybody sits still for it.

    Raises:
        SettingsError: as `save_calibration`.
    """
    _refuse_foreign(file)
    try:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.TemporaryFile(dir=nearest_there(file.parent)):
            return
    except OSError as error:
        raise _unwritable(file, error) from error


def forget_calibration(file: Path) -> bool:
    """Delete the file; whether there was one.

    Raises:
        SettingsError: it is there and cannot be deleted, or is another kind of file.
    """
    _refuse_foreign(file)
    try:
        file.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SettingsError(
            f"The calibration {file} cannot be deleted ({error.strerror}): delete it as the user "
            "who made it."
        ) from error
    return True


def _foreign(file: Path) -> str:
    """A sentence on a file that is there and that Mien has not made."""
    return (
        f"{file} is no calibration of Mien, and is neither read nor replaced nor deleted: name another "
        "with [calibration] file in the settings, or move it away."
    )


def _refuse_foreign(file: Path) -> None:
    """Raise SettingsError if there is a file that is no calibration, whole or damaged."""
    try:
        with open_regular(file, sys.maxsize) as stream:
            ours = _is_ours(stream.read(_LARGEST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _unreadable(file, error) from error
    if not ours:
        raise SettingsError(_foreign(file))


def _is_ours(raw: bytes) -> bool:
    """Whether it is a calibration: one that is cut short, or emptied by a power cut, is one too."""
    return _MARK in raw or not raw.strip(b"\0 \r\n\t")


def _unreadable(file: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"The calibration {file} cannot be read ({error.strerror}): make it readable for this user, or "
        "name another with [calibration] file."
    )


def _unwritable(file: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"The calibration cannot be written to {file} ({error.strerror}): name another place with "
        "[calibration] file in the settings."
    )


def _rounded(rest: Baseline | None) -> dict[str, object] | None:
    if rest is None:
        return None
    return {
        "mean_log": [min(0.0, round(value, 3)) for value in rest.mean_log],
        "seconds": round(rest.seconds, 2),
        "model": rest.model,
    }
