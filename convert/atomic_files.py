"""Files that one run leaves for the next: written whole or not at all."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from convert.errors import DataError, RecipeError
from edge.process.written_files import create_part, publish


def write_json(content: object, file: Path) -> None:
    """Write *content* as `write_text` does."""
    write_text(json.dumps(content, indent=1) + "\n", file)


def write_text(text: str, file: Path) -> None:
    """Write *text* so that whoever interrupts finds the old file or the whole new one."""
    with written_whole(file) as partial:
        partial.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """Another file to write to, which becomes *file* when it is done.

    Nobody else can have put it there, as a link to something else, or read it before it is complete.
    """
    partial = file.with_name(f"{file.name}.part")
    number = create_part(partial)
    try:
        yield partial
        publish(number, partial, file)
    finally:
        os.close(number)


def claim(
    recipe: BaseModel, free: set[str], checkpoint: Path, file: Path, *, aside: Path | str
) -> None:
    """Write *recipe* to *file*, or refuse a *checkpoint* whose *file* holds another one.

    Args:
        recipe: what is trained by.
        free: its keys that may change between two runs.
        checkpoint: where the training is kept.
        file: says of which recipe that is.
        aside: what whoever starts afresh has to move away.

    Raises:
        RecipeError: the checkpoint is of another recipe.
    """
    said = recipe.model_dump(mode="json", exclude=free)
    if checkpoint.is_file():
        try:
            same = _with_later_keys(read_json(file), recipe, said) == said
        except (OSError, DataError):
            same = False
        if not same:
            raise RecipeError(
                f"{checkpoint} is of another recipe: move {aside} away to start afresh."
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(said, file)


def _with_later_keys(stored: Any, recipe: BaseModel, said: dict[str, Any]) -> Any:
    """*stored*, and of what recipes could not say when it was written whatever is as it was then."""
    if not isinstance(stored, dict):
        return stored
    fields = type(recipe).model_fields
    unsaid = [key for key in said if key not in stored]
    by_default = [key for key in unsaid if getattr(recipe, key) == fields[key].default]
    return {**stored, **{key: said[key] for key in by_default}}


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
    return f"{file} is damaged ({said}); delete it, and the next run makes it again."
