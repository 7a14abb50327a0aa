"""What a person has named in the settings: devices, files and the like, nobody else's business."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

from edge.config.adapters import registry
from edge.config.schema import Settings

_NOBODYS: Final = re.compile(r"-|\d+|/dev/video\d+|/dev/null")


def free_texts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each text that is a person's own and no choice among some, by the name of its setting."""
    known = set(registry().names("mien.sensors"))
    for section in type(settings).model_fields:
        values = getattr(settings, section)
        assert isinstance(values, BaseModel)
        for name, info in type(values).model_fields.items():
            for text in _texts(getattr(values, name)):
                chosen = text == info.default or text in known or text in _choices(info.annotation)
                if not chosen and not _NOBODYS.fullmatch(text):
                    yield f"[{section}] {name}", text


def named_by_person(settings: Settings, clip: Path | None = None) -> list[str]:
    """All that a person has named, each as it is told to them: paths, and their last parts too."""
    texts = [text.removeprefix("unix:") for _, text in free_texts(settings)]
    texts += [] if clip is None else [str(clip)]
    return [part for text in texts for part in dict.fromkeys((text, Path(text).name)) if part]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _choices(annotation: Any) -> set[str]:
    """The texts that an annotation names."""
    if get_origin(annotation) is Literal:
        return {choice for choice in get_args(annotation) if isinstance(choice, str)}
    return {choice for part in get_args(annotation) for choice in _choices(part)}
