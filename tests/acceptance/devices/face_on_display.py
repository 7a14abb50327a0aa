"""Tells by the pixels of a display which face it shows. Python's own library alone.

It compares with faces that `face_gallery` has drawn. A picture is as a display's memory holds it:
1024 bytes of 128x64 pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BYTES: Final = 1024
NEAR: Final = 0.33
"""Pixels that may differ, as a part of those that are lit in either picture: the face moves all the
time, so that hardly any picture is the same as another."""
CLEARER: Final = 1.25
"""By so much the next face has to be farther away."""


@dataclass(frozen=True)
class Seen:
    """What a picture shows."""

    name: str
    """The face that is nearest, or "dark"; "unclear" if none is near or two are."""
    apart: float
    """Part of the lit pixels in which the picture differs from it, 0-1."""
    other: str
    """The nearest of the other faces, and how far that is."""
    other_apart: float
    icons: tuple[str, ...]
    """Marks of lost senses in the picture's corners."""


def apart(first: int, second: int) -> float:
    """How far two pictures are apart: differing pixels as a part of those lit in either, 0-1."""
    either = (first | second).bit_count()
    return (first ^ second).bit_count() / either if either else 0.0


class Faces:
    """The faces and marks that are known."""

    def __init__(
        self, faces: Mapping[str, Sequence[bytes]], icons: Mapping[str, tuple[bytes, bytes]]
    ) -> None:
        """Know these.

        Args:
            faces: pictures of each face.
            icons: of each mark the pixels that it covers, and those of them that it lights.
        """
        self._faces = {name: [number(one) for one in many] for name, many in faces.items()}
        self._icons = {name: (number(mask), number(lit)) for name, (mask, lit) in icons.items()}

    def read(self, picture: bytes) -> Seen:
        """What *picture* shows."""
        whole = number(picture)
        if not whole:
            return Seen("dark", 0.0, "", 1.0, ())
        icons = [name for name, (mask, lit) in self._icons.items() if whole & mask == lit]
        keep = number(b"\xff" * BYTES)
        for name in icons:
            keep &= ~self._icons[name][0]
        nearest = sorted(
            (min(apart(whole & keep, one & keep) for one in many), name)
            for name, many in self._faces.items()
        )
        (best, name), (next_best, other) = nearest[:2]
        clear = best <= NEAR and next_best >= best * CLEARER
        return Seen(name if clear else "unclear", best, other, next_best, tuple(sorted(icons)))


def number(picture: bytes) -> int:
    """A picture as one number, a bit a pixel."""
    return int.from_bytes(picture, "little")


def load(folder: Path) -> Faces:
    """What `face_gallery` wrote into *folder*."""
    faces = {file.stem: cut(file.read_bytes()) for file in sorted(folder.glob("*.face"))}
    icons = {file.stem: cut(file.read_bytes()) for file in sorted(folder.glob("*.icon"))}
    return Faces(faces, {name: (pair[0], pair[1]) for name, pair in icons.items()})


def cut(data: bytes) -> list[bytes]:
    """The pictures in a file of several."""
    return [data[place : place + BYTES] for place in range(0, len(data), BYTES)]


def drawing(picture: bytes) -> list[str]:
    """*picture* as 64 lines of 128 characters, for people."""
    return [
        "".join("#" if picture[y // 8 * 128 + x] >> y % 8 & 1 else "." for x in range(128))
        for y in range(64)
    ]
