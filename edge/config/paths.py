"""Where Mien's own files lie."""

import os
from pathlib import Path
from typing import Final

from edge.errors import SettingsError

REPO_ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout, which is also what `pip install -e` installs."""

SYSTEM_CONFIG: Final = Path("/etc/mien/config.toml")
MODELS: Final = REPO_ROOT / "models_tflite"
DEMO_CLIP: Final = REPO_ROOT / "var" / "demo.mp4"
"""Made by `setup.sh` with `python -m edge.demo`."""
SYSTEM_STATE: Final = Path("/var/lib/mien")
"""The state folder of the service."""


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


def calibration_file(file: str = "auto") -> Path | None:
    """The file that `[calibration] file` names; None for "none".

    "auto" is `calibration.json` in the first of these: $STATE_DIRECTORY, which systemd sets for a
    service; /var/lib/mien where this user may write; $XDG_STATE_HOME/mien (~/.local/state/mien).
    """
    if file == "none":
        return None
    return _state_folder() / "calibration.json" if file == "auto" else Path(file).expanduser()


def _state_folder() -> Path:
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd parts several by colons
    if given:
        return Path(given)
    if os.access(SYSTEM_STATE, os.W_OK | os.X_OK):
        return SYSTEM_STATE
    own = os.environ.get("XDG_STATE_HOME", "")
    try:
        return (Path(own) if os.path.isabs(own) else Path.home() / ".local" / "state") / "mien"
    except RuntimeError:  # a user without a home, as services have
        return SYSTEM_STATE
