"""Where the parts of the face lie on panels of different shapes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Where the parts of the face lie on a panel, in pixels."""

    width: int
    height: int
    unit: float
    """Pixels a design pixel of eyes, brows and accessories."""
    mouth_unit: float
    """Pixels a design pixel of the mouth."""
    center_x: float
    center_y: float
    eye_dx: float
    """From the middle to either eye."""
    eye_dy: float
    """From the middle down to the eyes."""
    mouth_dy: float
    """From the middle down to where a mouth of drop 0 would lie."""
    stretch: float
    """How many times taller the eyes are drawn than designed."""


EYE_DX, EYE_DY = 26.0, -4.0
"""Where the eyes lie on the panel that the face was designed for, 128x64, from its middle."""


def layout(size: tuple[int, int]) -> Layout:
    """Lay the face out on a panel of *size* (width, height) in pixels.

    On panels that are taller than 128x64 in proportion, the face grows to the width and its parts
    move apart; on flat ones (128x32) the eyes move out and the mouth up between them.
    """
    width, height = size
    if width / height > 2.5:
        unit = height / 46
        mouth_unit = min(unit, width / 190)
        return Layout(
            width,
            height,
            unit,
            mouth_unit,
            width / 2,
            height / 2,
            eye_dx=min(width * 0.31, width / 2 - 16 * unit),
            eye_dy=height * 0.13,
            mouth_dy=height * 0.04 - 9 * mouth_unit,
            stretch=1,
        )
    unit = min(width / 112, height / 64)
    # Narrow panels keep room beside the eyes for the accessories.
    room = min((width / unit - 112) / 16, 1.0)
    slack = max(height - 64 * unit, 0)
    return Layout(
        width,
        height,
        unit,
        unit,
        width / 2,
        height / 2,
        eye_dx=(EYE_DX - 2.5 * (1 - room)) * unit,
        eye_dy=EYE_DY * unit - slack * 0.1,
        mouth_dy=min(slack * 0.2, 12 * unit),
        stretch=1 + min(0.3, slack / height * 0.7),
    )
