"""Files that a person names on the command line."""

import re
from pathlib import Path
from typing import Final

from edge.errors import SettingsError

_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.\-]*://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether *text* names something by the way to it, such as rtsp://camera or https://host/a.mp4."""
    return _ADDRESS.match(text) is not None


def local_file(text: str) -> Path:
    """The path that was typed.

    Raises:
        SettingsError: it is empty, or an address, of which a path would lose a slash.
    """
    if is_address(text):
        kind = text.partition(":")[0]
        raise SettingsError(
            f"{kind}:// is an address, and Mien reads and writes files of this machine alone; give a "
            "path."
        )
    if not text.strip():
        raise SettingsError("The name of a file is empty; give a path, or leave that flag out.")
    return Path(text)
