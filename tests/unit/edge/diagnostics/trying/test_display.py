"""`mien try display`: what is on the panel at each step, and that it is dark in the end."""

import io
import threading
from collections.abc import Callable

import numpy as np
import pytest

from edge.config.schema import Settings
from edge.diagnostics.trying.display import FACES, frame, try_display
from edge.diagnostics.trying.guide import Guide, NotWiredError, StoppedError
from edge.hardware.host import Host
from edge.outputs.display import DisplaySettings
from edge.outputs.oled import Oled
from tests.fakes.oled_chip import Chip, Wire

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # luma reads with getdata()

WIRED = Settings.model_validate({"display": {"kind": "oled"}})


class Watched(Guide):
    """Looks at the panel at the end of each step."""

    def __init__(self, look: Callable[[], None], stop_after: int = 99) -> None:
        self.said = io.StringIO()
        super().__init__(self.said, None, 0.5, threading.Event())
        self._look, self._left = look, stop_after

    def wait(self, meanwhile: Callable[[], object] = lambda: None, longest_s: float = 0.0) -> None:
        for _ in range(3):
            meanwhile()
        self._look()
        self._left -= 1
        if not self._left:
            raise StoppedError


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Chip:
    panel = Chip()

    def opened(display: DisplaySettings, host: Host) -> Oled:
        return Oled(serial=Wire(panel), taken="The display is the SSD1306 at 0x3D on I2C bus 3.")

    monkeypatch.setattr("edge.diagnostics.trying.display.open_oled", opened)
    return panel


def test_a_frame_and_nine_faces_are_shown_and_the_panel_is_dark_afterwards(chip: Chip) -> None:
    seen: list[bytes] = []
    guide = Watched(lambda: seen.append(chip.pixels().tobytes()))
    try_display(WIRED, Host(), guide)
    assert seen[0] == np.asarray(frame((128, 64), "1")).astype(np.uint8).tobytes()
    assert len(seen) == len(set(seen)) == 1 + len(FACES)
    assert not chip.on and not chip.memory.any()
    said = " ".join(guide.said.getvalue().split())
    for words in ("0x3D on I2C bus 3", "column_offset", "row_offset", "rotate", "driver", *FACES):
        assert words in said
    assert guide.wrong == 0


@pytest.mark.parametrize("steps", [1, 4])
def test_whoever_has_enough_leaves_a_dark_panel(chip: Chip, steps: int) -> None:
    with pytest.raises(StoppedError):
        try_display(WIRED, Host(), Watched(lambda: None, steps))
    assert not chip.on and not chip.memory.any()


def test_loose_wire_is_told_of_though_every_picture_arrived(
    chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loose(Wire):
        refusals = 2

        def data(self, data: list[int]) -> None:
            if chip.on and self.refusals:
                self.refusals -= 1
                raise OSError(121, "Remote I/O error")
            super().data(data)

    monkeypatch.setattr(
        "edge.diagnostics.trying.display.open_oled", lambda *given: Oled(serial=Loose(chip))
    )
    guide = Watched(lambda: None)
    try_display(WIRED, Host(), guide)
    assert guide.wrong == 1
    assert "2 transfers were refused" in guide.said.getvalue()


def test_without_a_display_it_says_how_to_set_one_up() -> None:
    settings = Settings.model_validate({"display": {"kind": "none"}})
    with pytest.raises(NotWiredError, match=r"set \[display\] kind"):
        try_display(settings, Host(), Watched(lambda: None))


def test_where_no_oled_can_be_wired_it_says_where_the_face_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.diagnostics.trying.display.oled_possible", lambda display: False)
    with pytest.raises(NotWiredError, match="the face shows in the terminal"):
        try_display(Settings(), Host(), Watched(lambda: None))
