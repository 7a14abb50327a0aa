"""Where Mien's own files lie."""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from edge.errors import SettingsError
from edge.process.pip_command import pip

REPO_ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout, which is also what `pip install -e` installs; from a wheel, site-packages."""

IN_CHECKOUT: Final = (REPO_ROOT / "pyproject.toml").is_file()
"""Whether Mien runs from a checkout or a release of `setup.sh install`, and not from a wheel."""


def made_folder(root: Path = REPO_ROOT, in_checkout: bool = IN_CHECKOUT) -> Path:
    """Where the demo clip lies, and from a wheel the face detectors too.

    `var` of the checkout *root*; from a wheel $XDG_DATA_HOME/mien (~/.local/share/mien), since
    site-packages may belong to another user and is emptied by the next upgrade.
    """
    own = root / "var"
    return own if in_checkout else _home_folder("XDG_DATA_HOME", ".local/share", own)


def _home_folder(variable: str, usual: str, homeless: Path) -> Path:
    """Mien's folder in the one of the XDG rules; *homeless* for a user without a home."""
    own = os.environ.get(variable, "")
    try:
        return (Path(own) if os.path.isabs(own) else Path.home() / usual) / "mien"
    except RuntimeError:  # as services have
        return homeless


SYSTEM_CONFIG: Final = Path("/etc/mien/config.toml")
MODELS: Final = REPO_ROOT / "models_tflite"
"""Mien's own nets; a wheel carries them as a package of data."""
MADE: Final = made_folder()
FETCHED: Final = (MODELS if IN_CHECKOUT else MADE) / "fetched"
PORTRAIT: Final = MADE / "astronaut.png"
DEMO_CLIP: Final = MADE / "demo.mp4"
"""Made from the portrait by `python -m edge.demo`, which `setup.sh` does."""
SYSTEM_STATE: Final = Path("/var/lib/mien")
"""The state folder of the service."""


def models_folder(folder: str = "auto") -> Path:
    """The folder that `[models] folder` names, with Mien's models and their manifest."""
    return MODELS if folder == "auto" else Path(os.path.expanduser(folder))


def restore_models(folder: Path) -> str:
    """What brings the models and the manifest in *folder* back: half a sentence, without a stop."""
    if os.path.realpath(folder) != os.path.realpath(MODELS):
        return (
            f"put the models that belong together into {folder} again, or take those of Mien with "
            '[models] folder = "auto"'
        )
    if (REPO_ROOT / ".git").exists():
        return f"git -C {shlex.quote(str(REPO_ROOT))} checkout -- {MODELS.name}"
    if REPO_ROOT.parent.name == "releases":
        return "install Mien again, from a bundle or a checkout that is whole"
    if IN_CHECKOUT:
        return f"unpack Mien again over {REPO_ROOT}"
    return f"install Mien's wheel again: {pip()} install --force-reinstall --no-deps FILE.whl"


def fetched_folder(folder: str = "auto") -> Path:
    """Where `python -m edge.fetch` puts MediaPipe's face detectors."""
    own = models_folder(folder) / "fetched"
    return own if os.path.isdir(own) else FETCHED


def demo_clip() -> Path:
    """The demo clip.

    Raises:
        SettingsError: it has not been made.
    """
    if not DEMO_CLIP.is_file():
        python = sys.executable
        how = (
            "./setup.sh run" if IN_CHECKOUT else f"{python} -m edge.fetch && {python} -m edge.demo"
        )
        raise SettingsError(
            f"The demo clip {DEMO_CLIP} is not there; make it with {how}, or name a clip "
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
    return (
        _state_folder() / "calibration.json" if file == "auto" else Path(os.path.expanduser(file))
    )


def _state_folder() -> Path:
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd parts several by colons
    if given:
        return Path(given)
    if os.access(SYSTEM_STATE, os.W_OK | os.X_OK):
        return SYSTEM_STATE
    return _home_folder("XDG_STATE_HOME", ".local/state", SYSTEM_STATE)
