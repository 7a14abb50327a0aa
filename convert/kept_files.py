"""Files that one run leaves for the next: written whole or not at all."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.problems import DataError


def write_json(content: object, file: Path) -> None:
    """Write *content* as `write_text` does."""
    write_text(json.dumps(content, indent=1) + "\n", file)


def write_text(text: str, file: Path) -> None:
    """Write *text* so that whoever interrupts finds the old file or the whole new one."""
    partial = file.with_name(f"{file.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def read_json(file: Path) -> Any:
    """What `write_json` wrote.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # of the JSON or of the UTF-8
        raise DataError(damaged(file, error)) from error


def read_array(file: Path, mmap_mode: Any = None) -> NDArray[Any]:
    """The array that is kept in an .npy file.

    Raises:
        DataError: the file is damaged.
    """
    try:
        array: NDArray[Any] = np.load(file, mmap_mode=mmap_mode)
    except (ValueError, EOFError) as error:
        raise DataError(damaged(file, error)) from error
    return array


def damaged(file: Path, error: Exception) -> str:
    """The sentence about a kept file that cannot be read."""
    said = str(error) or type(error).__name__
    return f"{file} is damaged ({said}); delete it, and the next run makes it anew."
