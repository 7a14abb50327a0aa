"""Where Mien's own files lie."""

from pathlib import Path
from typing import Final

from edge.errors import SettingsError

HOUSE: Final = Path(__file__).resolve().parent.parent
"""The checkout, which is also what `pip install -e` installs."""

SYSTEM_CONFIG: Final = Path("/etc/mien/config.toml")
MODELS: Final = HOUSE / "models_tflite"
DEMO_CLIP: Final = HOUSE / "var" / "demo.mp4"
"""Made by `setup.sh` with `python -m edge.demo`."""


def models_folder(folder: str = "auto") -> Path:
    """The folder that `[models] folder` names, with Mien's models and their manifest."""
    return MODELS if folder == "auto" else Path(folder).expanduser()


def fetched_folder(folder: str = "auto") -> Path:
    """Where `python -m edge.fetch` puts MediaPipe's face detectors."""
    own = models_folder(folder) / "fetched"
    return own if own.is_dir() else MODELS / "fetched"


def demo_clip() -> Path:
    """The demo clip.

    Raises:
        SettingsError: it has not been made.
    """
    if not DEMO_CLIP.is_file():
        raise SettingsError(
            f"The demo clip {DEMO_CLIP} is not there; make it with ./setup.sh run, or name a clip "
            "of your own with --clip."
        )
    return DEMO_CLIP
