"""Files and times that a person names on the command line."""

from pathlib import Path

from edge.config.fields import address_kind
from edge.errors import SettingsError


def local_file(text: str) -> Path:
    """The path that was typed.

    Raises:
        SettingsError: it is empty, or an address, of which a path would lose a slash.
    """
    if kind := address_kind(text):
        raise SettingsError(
            f"{kind}:// is an address, and Mien reads and writes files of this machine alone; give a "
            "path."
        )
    if not text.strip():
        raise SettingsError("The name of a file is empty; give a path, or leave that flag out.")
    return Path(text)


def seconds(text: str) -> float:
    """The number that was typed after --seconds.

    Raises:
        SettingsError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f'--seconds is "{text}", but has to be a number, such as 20.') from None
