"""Which display is taken, and that an OLED that was taken once is never given up for a preview."""

import io
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.errors import OutputError
from edge.face.animation import Animator
from edge.face.draw import draw
from edge.hardware.host import Host
from edge.messages import Mood
from edge.outputs import Output
from edge.outputs.display import DisplayMaker, DisplaySettings, open_display, open_oled
from edge.outputs.display_chips import CHIPS
from edge.outputs.image_file import Picture
from edge.outputs.oled import Oled
from edge.outputs.oled_packing import pack_rgb565
from edge.outputs.oled_search import Place
from edge.outputs.panel_sizes import SIZES
from edge.outputs.stand_in import StandIn
from edge.outputs.terminal import Preview
from edge.runtime.output_stages import OutputStage
from tests.acceptance.devices.ssd1306 import Ssd1306
from tests.fakes.clock import HandClock
from tests.fakes.oled_chip import Chip, Wire

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # luma reads with getdata()
HAPPY = Mood(0.0, "happy", np.array([0, 0, 0, 1.0, 0, 0, 0]))
NO_ANSWER = "No OLED answers; check its wiring."


class World:
    """A machine with one OLED, which may be unplugged."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plugged = False
        self.before: list[Place | None] = []
        monkeypatch.setattr("edge.outputs.display.open_oled", self._open)
        monkeypatch.setattr("edge.outputs.display.oled_possible", lambda display: True)
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    def _open(self, display: DisplaySettings, host: Host, before: Place | None = None) -> Oled:
        self.before.append(before)
        if not self.plugged:
            raise OutputError(NO_ANSWER)
        world = self

        class Loose(Wire):
            def command(self, *parts: int) -> None:
                if not world.plugged:
                    raise OSError(121, "Remote I/O error")
                super().command(*parts)

        return Oled(serial=Loose(Chip()), place=Place(1, 0x3C), taken="The display is the SSD1306.")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


class Bench:
    """The stage of the display, stepped by hand."""

    def __init__(self, make: Callable[[], Output]) -> None:
        self.reported: list[str] = []
        self.stage = OutputStage(None, self.reported.append, make, clock=HandClock())

    def show(self, times: int = 30) -> None:
        for step in range(times):
            self.stage.put(Mood(0.0, "happy" if step % 2 else "sad"))
            assert self.stage.step()


def test_oled_that_was_taken_is_waited_for_and_never_replaced_by_the_preview(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.plugged = True
    bench = Bench(DisplayMaker(DisplaySettings(), Host(), 0.01))
    for _ in range(5):
        world.plugged = True
        bench.show()
        assert (bench.stage.state, bench.stage.part) == ("open", "display ssd1306")
        world.plugged = False
        bench.show()
        assert bench.stage.state == "missing"
    assert capsys.readouterr().err == ""
    assert world.before[-1] == Place(1, 0x3C)
    assert bench.reported.count("The display is the SSD1306.") == 1


def test_oled_that_is_plugged_in_later_takes_the_place_of_the_preview(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(DisplayMaker(DisplaySettings(), Host(), 0.01))
    bench.show()
    assert bench.stage.part == "preview"
    assert bench.reported == [NO_ANSWER]
    assert "happy" in capsys.readouterr().err
    world.plugged = True
    for _ in range(2000):
        bench.show(2)
        if bench.stage.part == "display ssd1306":
            break
        threading.Event().wait(0.01)
    assert bench.stage.part == "display ssd1306"
    assert bench.reported[-1] == "The display is the SSD1306."
    capsys.readouterr()
    world.plugged = False
    bench.show()
    assert bench.stage.state == "missing"
    assert capsys.readouterr().err == ""
    bench.stage.finish()


class FlakyBus:
    """smbus2 with an SSD1306 at 0x3D of bus 3, where one of twenty transfers is broken off."""

    chip = Ssd1306()
    random = random.Random(0)
    refused = 0

    def __init__(self, port: int) -> None:
        self._port = port

    def _transfer(self, address: int, data: bytes) -> None:
        if (self._port, address) != (3, 0x3D):
            raise OSError(121, "Remote I/O error")
        if self.random.random() < 0.05:
            FlakyBus.refused += 1
            self.chip.write(data[: self.random.randrange(len(data) + 1)])
            raise OSError(121, "Remote I/O error")
        self.chip.write(data)

    def read_byte(self, address: int) -> int:
        self._transfer(address, b"")
        return self.chip.status

    def write_quick(self, address: int) -> None:
        self._transfer(address, b"")

    def write_i2c_block_data(self, address: int, mode: int, data: list[int]) -> None:
        self._transfer(address, bytes([mode, *data]))

    def i2c_rdwr(self, message: Any) -> None:
        self._transfer(message.addr, bytes(list(message)))

    def close(self) -> None:
        pass


def test_auto_on_a_flaky_bus_finds_the_oled_at_once_and_never_leaves_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real luma and the real search: only the wires are not."""
    monkeypatch.setattr("smbus2.SMBus", FlakyBus)
    monkeypatch.setattr("edge.outputs.oled_search.bus_numbers", lambda dev: [1, 3])
    monkeypatch.setattr("edge.outputs.display.oled_possible", lambda display: True)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    for _ in range(8):
        bench = Bench(DisplayMaker(DisplaySettings(), Host()))
        bench.show(40)
        assert (bench.stage.state, bench.stage.part) == ("open", "display ssd1306")
        assert bench.reported == ["The display is the SSD1306 at 0x3D on I2C bus 3."]
        assert any(FlakyBus.chip.picture())
        bench.stage.finish()
        assert not any(FlakyBus.chip.picture())
    assert FlakyBus.refused > 30
    assert capsys.readouterr().err == ""


def test_oled_that_is_found_while_the_preview_closes_is_let_go_of() -> None:
    looked, closed = threading.Event(), threading.Event()

    class Found:
        name, interval_s = "found", 0.1

        def show(self, mood: Mood, t_s: float) -> None:
            raise AssertionError

        def close(self) -> None:
            closed.set()

    def look() -> Found:
        looked.set()
        return Found()

    preview = StandIn(io.StringIO(), look, every_s=0.0)
    assert looked.wait(10)
    preview.close()
    assert closed.is_set()


def test_preview_that_was_asked_for_looks_for_no_oled(world: World) -> None:
    display = open_display(DisplaySettings(kind="terminal"), Host())
    assert type(display) is Preview
    assert world.before == []


def test_colors_of_the_chips_are_those_of_luma() -> None:
    from luma.core.interface.serial import noop

    for name, chip in CHIPS.items():
        assert Oled(device=name, interface="spi", serial=noop()).mode == chip.mode, name


@pytest.mark.parametrize(
    ("driver", "column", "seen_from"),
    [("sh1106", None, 2), ("sh1106", 0, 0), ("sh1106", 4, 4), ("ssd1306", None, 0)],
)
def test_panel_shows_the_whole_picture_from_the_column_that_it_is_wired_to(
    driver: str, column: int | None, seen_from: int
) -> None:
    chip = Chip(sh1106=driver == "sh1106")
    chip.memory[:] = 0x55  # as it is when the power comes on
    oled = Oled(device=driver, serial=Wire(chip), column_offset=column)
    picture = Image.fromarray(np.arange(128 * 64).reshape(64, 128) % 7 == 0)
    oled.show_picture(picture)
    assert np.array_equal(chip.pixels(64, seen_from), np.asarray(picture))
    beside = np.delete(chip.memory, slice(seen_from, seen_from + 128), axis=1)
    assert driver != "sh1106" or not beside.any()


def test_sh1107_takes_its_column_offset_too() -> None:
    class Sent(Wire):
        def __init__(self) -> None:
            super().__init__(Chip())
            self.commands: list[tuple[int, ...]] = []

        def command(self, *parts: int) -> None:
            self.commands.append(parts)

        def data(self, data: list[int]) -> None:
            pass

    wire = Sent()
    oled = Oled(device="sh1107", serial=wire, column_offset=32, row_offset=96)
    assert (0xD3, 96) in wire.commands
    wire.commands.clear()
    oled.show_picture(Image.new("1", (64, 128), 1))
    assert wire.commands[0] == (0x12, 0x00, 0xB0)


def test_offset_beside_the_memory_of_the_chip_that_was_found_is_refused() -> None:
    with pytest.raises(OutputError, match="column_offset is 0 at most"):
        Oled(serial=Wire(Chip()), column_offset=3)


@pytest.fixture
def picture(tmp_path: Path) -> Iterator[Callable[..., Image.Image]]:
    def shown(**display: Any) -> Image.Image:
        file = tmp_path / "face.png"
        output = open_display(DisplaySettings(kind="png", file=str(file), **display), Host())
        assert isinstance(output, Picture)
        for step in range(12):  # until the face has taken its colour
            output.show(HAPPY, step / 12)
        output.close()
        with Image.open(file) as saved:
            saved.load()
            return saved.resize((saved.width // 4, saved.height // 4), Image.Resampling.NEAREST)

    yield shown


@pytest.mark.parametrize("rotate", [0, 1, 2, 3])
@pytest.mark.parametrize("driver", ["ssd1306", "sh1107", "ssd1331"])
def test_png_is_what_the_panel_holds(
    picture: Callable[..., Image.Image], driver: str, rotate: int
) -> None:
    """The real device of luma gets the same face; its own turning decides."""
    from luma.core.interface.serial import noop
    from luma.oled import device

    panel = getattr(device, driver)(noop(), rotate=rotate)
    animator = Animator()
    mode = CHIPS[driver].mode
    for step in range(12):
        face = draw(animator.pose(HAPPY, step / 12), panel.size, mode)
    held = panel.preprocess(face)
    seen = picture(driver=driver, rotate=rotate)
    assert seen.size == SIZES[driver][0]
    if mode == "1":
        assert seen.convert("1").tobytes() == held.tobytes()
    else:
        assert np.array_equal(pack_rgb565(seen.convert("RGB")), pack_rgb565(held))
        pixels = np.asarray(seen.convert("RGB"), int).reshape(-1, 3)
        lit = pixels[pixels.max(axis=1) > 150]
        assert (lit[:, 0] > lit[:, 2] + 60).mean() > 0.5  # happy is no white


def test_window_has_the_size_and_the_colors_of_the_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("luma.emulator")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    for driver, size, mode in (("ssd1331", (96, 64), "RGB"), ("sh1107", (64, 128), "1")):
        wanted = DisplaySettings.model_validate({"kind": "window", "driver": driver})
        window = open_display(wanted, Host())
        assert isinstance(window, Oled)
        assert (window.size, window.mode) == (size, mode)
        window.close()


def test_png_of_a_grey_panel_has_its_sixteen_greys(picture: Callable[..., Image.Image]) -> None:
    seen = picture(driver="ssd1322")
    assert seen.size == (256, 64)
    assert {value % 17 for value in np.unique(np.asarray(seen.convert("L")))} == {0}


def test_spi_display_is_taken_for_the_usual_chip_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.outputs.oled._open_bus", lambda *given: Wire(Chip()))
    oled = open_oled(DisplaySettings(kind="oled", interface="spi"), Host())
    assert (oled.name, oled.taken) == (
        "display ssd1306",
        "An SPI display cannot say which chip it has: it is taken for an SSD1306.",
    )
