"""No command writes onto what it reads from."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from edge.config.paths import SYSTEM_CONFIG, calibration_file
from edge.config.schema import Settings
from edge.errors import SettingsError
from edge.process.regular_files import is_one_of


def keep_inputs(settings: Settings, clip: Path | None, config: Path | None) -> None:
    """Refuse settings by which Mien would write onto the clip or the settings that it reads.

    Raises:
        SettingsError: a file to write to is one of them, by whatever name or link.
    """
    for name, place in _written_to(settings):
        if is_one_of(place, [clip, config, SYSTEM_CONFIG]):
            raise SettingsError(
                f"{name} is {place}, which is read from and not written over; name another file."
            )


def _written_to(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every setting that an adapter may take for a file to write to, and the file."""
    kept = calibration_file(settings.calibration.file)
    if kept is not None:
        yield "[calibration] file", kept
    for section in type(settings).model_fields:
        values = getattr(settings, section)
        assert isinstance(values, BaseModel)
        for name, info in type(values).model_fields.items():
            value = getattr(values, name)
            if info.annotation is str and value != info.default:
                file = Path(value.removeprefix("unix:"))
                yield f"[{section}] {name}", file
                yield f"[{section}] {name}", Path(f"{file}.part")
