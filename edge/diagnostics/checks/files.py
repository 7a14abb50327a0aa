"""The models and the face detectors."""

import sys
from collections.abc import Iterator
from pathlib import Path

from edge.config.paths import fetched_folder, models_folder, restore_models
from edge.config.schema import Settings
from edge.diagnostics.checks import Check, State
from edge.errors import ModelError
from edge.fetch import parcels


def check_detectors(settings: Settings, fetched: Path | None = None) -> Iterator[Check]:
    """MediaPipe's face detectors: there, and the very files that are meant."""
    if not settings.camera.enabled:
        return
    folder = fetched or fetched_folder(settings.models.folder)
    wanted = "full_range" if settings.face.range == "full" else "short_range"
    # The first parcel is MediaPipe's; the second, the portrait, is only for the demo clip.
    for piece in parcels(folder)[0].pieces:
        fix = f"{sys.executable} -m edge.fetch"
        state: State = "problem" if wanted in piece.target.name else "warning"
        if piece.is_there():
            yield Check("face detector", "ok", piece.target.name)
        elif piece.target.exists():
            says = f"{piece.target} is damaged or another file (its SHA-256 is wrong)"
            yield Check("face detector", state, says, fix)
        else:
            says = f"{piece.target.name} is not in {folder}"
            yield Check("face detector", state, says, fix)


def check_models(settings: Settings) -> Iterator[Check]:
    """Mien's own models against their manifest."""
    from edge.perception.manifest import check_hash, load_manifest

    folder = models_folder(settings.models.folder)
    restore = restore_models(folder)
    try:
        manifest = load_manifest(folder)
    except ModelError as error:
        yield Check("models", "problem", _phrase(error), restore)
        return
    for name, entry in (("face model", manifest.face), ("voice model", manifest.voice)):
        try:
            check_hash(folder / entry.file, entry.sha256)
        except ModelError as error:
            yield Check(name, "problem", _phrase(error), restore)
        else:
            yield Check(name, "ok", f"{entry.file}, as the manifest says")


def _phrase(error: ModelError) -> str:
    """The part of its sentence before the remedy, which is said with the fix."""
    return str(error).split("; ")[0].rstrip(".")
