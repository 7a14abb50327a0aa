import errno
import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.load import load_settings
from edge.errors import OutputError, SettingsError
from edge.hardware.host import Host
from edge.messages import Mood
from edge.outputs import CanRest
from edge.outputs.neopixel import (
    SPI_HZ,
    NeoPixels,
    NeopixelSettings,
    Order,
    Rgb,
    SpiStrip,
    Ws281xStrip,
    buffer_problem,
    check,
    driven,
    encode,
    make,
)
from tests.fakes.neopixel import FakeStrip, fake_rpi_ws281x, fake_spidev, levels_of

BYTE = st.integers(0, 255)


@pytest.fixture
def strip(monkeypatch: pytest.MonkeyPatch) -> FakeStrip:
    strip = FakeStrip()
    monkeypatch.setitem(sys.modules, "spidev", fake_spidev(strip))
    monkeypatch.setitem(sys.modules, "rpi_ws281x", fake_rpi_ws281x(strip))
    return strip


@given(
    st.lists(st.tuples(BYTE, BYTE, BYTE), min_size=1, max_size=5),
    st.sampled_from(get_args(Order)),
    # What the dividers of a Pi up to 4 (250, 400 and 500 MHz), a Pi 5 and a Jetson make of SPI_HZ.
    st.sampled_from([SPI_HZ, 250e6 / 40, 400e6 / 64, 500e6 / 80, 200e6 / 32, 408e6 / 64]),
)
def test_pixels_see_the_colors_in_pulses_within_their_data_sheet(
    colors: list[Rgb], order: Order, clock_hz: float
) -> None:
    strip = FakeStrip(order)
    strip.wire(levels_of(encode(colors, order), clock_hz))
    assert strip.colors == colors


@given(st.tuples(*[st.floats(0, 1)] * 3), st.floats(0.01, 1))
def test_what_is_lit_stays_lit_and_no_pixel_is_driven_over_the_brightness(
    looks: tuple[float, float, float], brightness: float
) -> None:
    color = driven(looks, brightness)
    assert all(0 <= part <= max(1, round(255 * brightness)) for part in color)
    assert any(color) or max(looks) <= 0.05


def run_for(output: NeoPixels, shown: str, start_s: float, seconds: float) -> None:
    for number in range(round(seconds * 30) + 1):
        output.show(Mood(0.0, shown), start_s + number / 30)


def test_color_fades_to_that_of_the_mood_and_goes_out_when_closed(strip: FakeStrip) -> None:
    output = NeoPixels(SpiStrip(3), brightness=1.0)
    assert strip.colors == [(0, 0, 0)] * 3
    seen = []
    for number in range(60):
        output.show(Mood(0.0, "angry"), number / 30)
        assert len(set(strip.colors)) == 1
        seen.append(strip.colors[0][0])
    assert seen == sorted(seen)
    assert len(set(seen)) > 20
    red, green, blue = strip.colors[0]
    assert red > 20 * max(green, blue) > 0 or (green, blue) == (0, 0)
    output.close()
    output.close()
    assert strip.colors == [(0, 0, 0)] * 3


def test_it_breathes_while_nobody_is_there_dims_sleeps_and_wakes(strip: FakeStrip) -> None:
    output = NeoPixels(SpiStrip(1), brightness=1.0)
    assert isinstance(output, CanRest)

    def levels(start_s: float) -> set[int]:
        seen = set()
        for number in range(120):
            output.show(Mood(0.0, "nobody"), start_s + number / 30)
            seen.add(max(strip.colors[0]))
        return seen

    levels(0.0)
    awake = levels(4.0)
    assert max(awake) > 2 * min(awake) > 0
    output.rest("dim")
    levels(8.0)
    assert max(levels(12.0)) < max(awake) / 4
    output.rest("asleep")
    assert strip.colors == [(0, 0, 0)]
    output.rest("awake")
    run_for(output, "happy", 20.0, 2.0)
    assert max(strip.colors[0]) > max(awake)


def test_nothing_is_sent_while_nothing_changes_but_a_refresh_now_and_then(strip: FakeStrip) -> None:
    output = NeoPixels(SpiStrip(1))
    run_for(output, "neutral", 0.0, 10.0)
    before = strip.frames
    run_for(output, "neutral", 10.1, 10.0)
    assert strip.frames == before + 2


@pytest.mark.parametrize("pin", [12, 13, 18, 19, 21])
def test_the_library_drives_every_pin_that_can_do_it(strip: FakeStrip, pin: int) -> None:
    pixels = Ws281xStrip(2, "BRG", pin)
    pixels.send([(1, 2, 3), (4, 5, 6)])
    assert (strip.order, strip.colors) == ("BRG", [(1, 2, 3), (4, 5, 6)])
    pixels.close()


@pytest.mark.parametrize(
    ("code", "meaning", "remedy"),
    [
        (-3, "Hardware revision is not supported", 'backend to "spi"'),
        (-5, "mmap() failed", "run Mien as root"),
        (-10, "DMA error", "nothing else uses PWM or DMA"),
    ],
)
def test_a_refusal_of_the_library_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, code: int, meaning: str, remedy: str
) -> None:
    library = fake_rpi_ws281x(FakeStrip(), code, meaning)
    monkeypatch.setitem(sys.modules, "rpi_ws281x", library)
    with pytest.raises(OutputError, match=rf"GPIO 18 \(.*code {code}.*\): .*{remedy}"):
        Ws281xStrip(1)


@pytest.mark.usefixtures("strip")
def test_a_pin_that_cannot_do_it_is_refused_with_those_that_can() -> None:
    with pytest.raises(OutputError, match=r"set \[neopixel\] pin to 12, 13, 18, 19 or 21"):
        Ws281xStrip(1, "GRB", 17)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "usermod -aG spi"),
        (errno.ENOENT, "raspi-config nonint do_spi 0"),
        (errno.EBUSY, "nothing else uses it"),
    ],
)
def test_a_bus_that_cannot_be_had_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    monkeypatch.setitem(sys.modules, "spidev", fake_spidev(FakeStrip(), fails=number))
    with pytest.raises(OutputError, match=remedy):
        SpiStrip(1)


@pytest.mark.parametrize(("library", "made"), [("spidev", SpiStrip), ("rpi_ws281x", Ws281xStrip)])
def test_a_missing_library_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, library: str, made: type[SpiStrip | Ws281xStrip]
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(OutputError, match=f"-m pip install {library}".replace("_", "-")):
        made(1)


def test_more_pixels_than_one_transfer_holds_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bufsiz"
    file.write_text("4096\n")
    assert buffer_problem(159, file) == ""
    assert "160 of them need 4097 bytes" in buffer_problem(160, file)
    file.write_text("65536\n")
    assert buffer_problem(1024, file) == ""


def test_settings_make_the_strip_and_claim_its_pins(strip: FakeStrip, tmp_path: Path) -> None:
    assert make(NeopixelSettings(), Host()) == []
    assert list(check(NeopixelSettings(), Host())) == []
    for backend in ("spi", "ws281x"):
        wanted = NeopixelSettings.model_validate({"enabled": True, "backend": backend, "count": 2})
        (maker,) = make(wanted, Host())
        maker().close()
        assert strip.colors == [(0, 0, 0)] * 2
    file = tmp_path / "my.toml"
    file.write_text('[neopixel]\nenabled = true\n[display]\ninterface = "spi"\n')
    with pytest.raises(SettingsError, match="both claim GPIO 9"):
        load_settings(file, {}, system=tmp_path / "none")
    file.write_text('[neopixel]\nenabled = true\nbackend = "ws281x"\n[leds]\nred = 18\n')
    with pytest.raises(
        SettingsError, match=r"\[leds\] red and \[neopixel\] pin both claim GPIO 18"
    ):
        load_settings(file, {}, system=tmp_path / "none")


def test_doctor_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, strip: FakeStrip) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("edge.hardware.host.board_name", lambda: "Raspberry Pi 5 Model B Rev 1.0")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    lacks = check(NeopixelSettings(enabled=True, spi_port=9), Host())
    assert ["-m pip install" in lack or "do_spi 0" in lack for lack in lacks] == [True, True]
    lacks = check(NeopixelSettings(enabled=True, backend="ws281x"), Host())
    said = "\n".join(lacks)
    assert "does not know Raspberry Pi 5" in said
    assert "run Mien as root" in said
