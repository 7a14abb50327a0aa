"""What every test of a drawing needs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from convert.plots.style import DPI, WIDTH_IN

Draw = Callable[[Path], None]
TITLE = "What it shows\nwhich rows, which labels"


def check_drawing(
    draw: Callable[..., None], data: Any, other: Any, folder: Path, dpi: int = DPI, **given: Any
) -> None:
    """A light image as wide as a page, small as a file, that changes with its data."""
    draw(data, out=folder / "one.png", **given)
    draw(other, out=folder / "other.png", **given)
    one = (folder / "one.png").read_bytes()
    with Image.open(folder / "one.png") as image:
        assert image.format == "PNG"
        assert image.width == round(WIDTH_IN * dpi)
        assert 0.2 < image.height / image.width < 1.2
        assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert len(one) < 80_000
    assert one != (folder / "other.png").read_bytes()


def check_refusal(draw: Draw, words: str, folder: Path) -> None:
    """What cannot be drawn is refused in these words, and nothing is written."""
    with pytest.raises(ValueError, match=words):
        draw(folder / "out.png")
    assert not list(folder.iterdir())


def shade(file: Path, across: float, down: float) -> Any:
    """The color at a place, 0 to 1 from left and top."""
    with Image.open(file) as image:
        place = (round(across * image.width), round(down * image.height))
        return image.convert("RGB").getpixel(place)
