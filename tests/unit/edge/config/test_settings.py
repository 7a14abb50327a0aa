import os
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.load import Loaded, load_settings, try_settings
from edge.config.names import find_field, setting_paths, variable_name
from edge.config.render import default_toml, effective_toml, settings_page, toml_value
from edge.config.schema import FusionSettings, Settings
from edge.emotions import EMOTIONS
from edge.errors import SettingsError
from edge.fusion import FusionOptions
from edge.outputs.display import DisplaySettings
from edge.outputs.leds import LedSettings
from edge.outputs.panel_sizes import SIZES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOWHERE = Path("/nonexistent/config.toml")
DOCS = Path(__file__).resolve().parents[4] / "docs" / "settings.md"


def load(
    tmp_path: Path,
    text: str = "",
    environment: dict[str, str] | None = None,
    flags: dict[str, tuple[str, Any]] | None = None,
) -> Loaded:
    file = tmp_path / "my.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment or {}, flags, system=NOWHERE)


def refusal(tmp_path: Path, text: str = "", **rest: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, **rest)
    return str(caught.value).replace(str(tmp_path / "my.toml"), "FILE")


def test_built_in_settings_hold_without_any_file() -> None:
    loaded = load_settings(None, {}, system=NOWHERE)
    assert loaded.settings == Settings()
    assert not loaded.origins


def test_each_place_overrides_the_ones_before_it(tmp_path: Path) -> None:
    system, own = tmp_path / "system.toml", tmp_path / "own.toml"
    system.write_text("[camera]\nrate_hz = 1\nwidth_px = 161\nheight_px = 121\nsource = 1\n")
    own.write_text("[camera]\nwidth_px = 162\nheight_px = 122\nsource = 2\n")
    loaded = load_settings(
        own,
        {"MIEN_CAMERA__HEIGHT_PX": "123", "MIEN_CAMERA__SOURCE": "3"},
        {"camera.source": ("--camera", "4")},
        system=system,
    )
    camera = loaded.settings.camera
    assert (camera.rate_hz, camera.width_px, camera.height_px, camera.source) == (1, 162, 123, 4)
    assert loaded.origins == {
        "camera.rate_hz": f"{system}, line 2",
        "camera.width_px": f"{own}, line 2",
        "camera.height_px": "MIEN_CAMERA__HEIGHT_PX",
        "camera.source": "--camera",
    }


MISTAKES = (
    """\
source = "auto"  # "source" stands outside any section; it belongs under [camera].
camera = 1  # camera has to be a section: [camera] on a line of its own.
[camra]
source = 1  # there is no section [camra]; did you mean [camera]?
[face]
gate = "silero"  # there is no setting "gate" in [face]; it belongs under [voice].
range = "medium"  # [face] range is "medium", but has to be "auto", "short" or "full".
[leds.emotion_pins]
hapy = 5  # there is no "hapy" in [leds.emotion_pins]; did you mean "happy"?
sad = 40  # [leds.emotion_pins] sad is 40, but has to be a whole number from 0 to 27.
""",
    """\
[camera]
sorce = 1  # there is no setting "sorce" in [camera]; did you mean "source"?
source = -1  # [camera] source is -1, but has to be "auto", a number from 0, a path, "picamera" or "csi".
rate_hz = 500  # [camera] rate_hz is 500, but has to be a number from 1 to 120.
enabled = 1  # [camera] enabled is 1, but has to be true or false.
width_px = true  # [camera] width_px is true, but has to be a whole number from 160 to 1920.
[display]
i2c_address = 0x99  # [display] i2c_address is 153, but has to be "auto" or a number from 0x08 to 0x77.
[voice]
gate_threshold = nan  # [voice] gate_threshold is nan, but has to be a number from 0.05 to 0.95.
""",
)
"""Files of settings, each mistake with what is said of it."""


@pytest.mark.parametrize("text", MISTAKES)
def test_every_mistake_is_told_with_its_line_and_what_would_be_right(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "my.toml"
    file.write_text(text)
    loaded, problems = try_settings(file, {}, system=NOWHERE)
    lines = [line.partition("  # ")[2] for line in text.splitlines()]
    expected = [f"{file}, line {n}: {said}" for n, said in enumerate(lines, start=1) if said]
    assert loaded is None
    assert sorted(problems) == sorted(expected)
    with pytest.raises(SettingsError, match=rf"\({len(expected) - 1} more: see mien config check"):
        load_settings(file, {}, system=NOWHERE)


def test_says_at_which_line_the_toml_is_wrong(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, "[camera]\nsource = = 1\n")
    assert sentence.startswith("FILE is not valid TOML: line 2, column 10: ")


def test_refuses_a_file_that_is_not_there_with_the_way_to_make_one() -> None:
    with pytest.raises(SettingsError, match=r"mien config default > /nonexistent/my\.toml"):
        load_settings(Path("/nonexistent/my.toml"), {}, system=NOWHERE)


def test_refuses_a_folder_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, {}, system=NOWHERE)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        load_settings(binary, {}, system=NOWHERE)


def test_two_claims_on_one_pin_are_refused_with_both_names(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, "[leds]\nred = 22\n")
    assert sentence == (
        "FILE, line 2: [leds] red and [leds] blue both claim GPIO 22; "
        "wire one of them to another pin."
    )
    assert "[leds] recording_pin and [leds] emotion_pins.sad both claim GPIO 23" in refusal(
        tmp_path, "[leds.emotion_pins]\nsad = 23\n"
    )


def test_pins_of_the_display_count_only_as_it_is_wired(tmp_path: Path) -> None:
    on_dc = "[leds]\nrecording_pin = 24\n"
    assert load(tmp_path, on_dc).settings.of(LedSettings).recording_pin == 24
    assert "[display] gpio_dc and [leds] recording_pin both claim GPIO 24" in refusal(
        tmp_path, on_dc + '[display]\ninterface = "spi"\n'
    )
    on_sda = "[leds]\nrecording_pin = 2\n"
    assert "the I2C bus of the display" in refusal(tmp_path, on_sda)
    assert (
        load(tmp_path, on_sda + "[display]\ni2c_port = 3\n").settings.of(LedSettings).recording_pin
        == 2
    )


def test_pins_do_not_clash_without_lights(tmp_path: Path) -> None:
    load(tmp_path, '[leds]\nbackend = "none"\nred = 22\n')


def test_rgb_needs_three_pins_or_none(tmp_path: Path) -> None:
    assert LedSettings().rgb_pins == (17, 27, 22)
    assert LedSettings(red="none", green="none", blue="none").rgb_pins is None
    assert 'green is "none"' in refusal(tmp_path, '[leds]\ngreen = "none"\n')


OLED = '[display]\nkind = "oled"\n'
PNG = '[display]\nkind = "png"\nfile = "face.png"\n'
SPI = 'interface = "spi"\nspi_port = 1\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            OLED + "width_px = 7\nheight_px = 3",
            "FILE, line 3: there is no ssd1306 of 7x3 pixels: it",
        ),
        (
            OLED + "height_px = 65",
            "line 3: there is no ssd1306 of 128x65 pixels: it has 128x64, 128x3",
        ),
        (
            OLED + 'driver = "ssd1331"\n' + SPI + "width_px = 128",
            "ssd1331 of 128x64 pixels: it has 9",
        ),
        (
            PNG + "width_px = 7",
            "a face of 7x64 pixels cannot be told from another; set [display] wi",
        ),
        (OLED + 'driver = "ssd1351"', "line 3: the ssd1351 has no I2C; wire it to SPI and set"),
        ('[display]\nkind = "png"\nfile = "a.gif"', "file does not end in .png"),
        (
            "[idle]\ndim_after_s = 400",
            "dim_after_s is 400 and sleep_after_s is 300, so that it would",
        ),
        ("[idle]\ngate_after_s = 5", "slow_after_s is 10 and gate_after_s is 5"),
        (
            "[fusion]\nface_weight = 0\nvoice_weight = 0",
            "nothing would ever be shown; set one of them",
        ),
        (PNG + '[events]\nto = "./face.png"', "[display] file and [events] to both claim"),
        ('[calibration]\nfile = "a"\n[events]\nto = "unix:a"', "give one of them another"),
        (OLED + SPI + "[neopixel]\nenabled = true\nspi_port = 1", "both claim SPI bus 1"),
        (OLED + 'driver = "sh1106"\ncolumn_offset = 5', "column_offset is 5, but on an sh1106"),
        (OLED + 'driver = "ssd1306"\ncolumn_offset = 2', "it is 0 at most"),
        (OLED + "column_offset = 5", "it is 4 at most"),
        (OLED + 'driver = "ssd1327"\ncolumn_offset = 1', "be shifted in the memory of an ssd1327"),
        (OLED + 'driver = "sh1106"\nrow_offset = 64', "it is 63 at most"),
    ],
)
def test_refuses_what_cannot_work(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        OLED + "height_px = 32",
        PNG + "width_px = 100\nheight_px = 65",
        PNG + 'driver = "ssd1351"',
        OLED + SPI + 'driver = "ssd1351"\nheight_px = 96',
        "[idle]\nsleep_after_s = 0\ndim_after_s = 900",
        "[idle]\nenabled = false\ngate_after_s = 5",
        '[fusion]\nweights = "70-30"\nface_weight = 0\nvoice_weight = 0',
        '[calibration]\nfile = "/dev/null"\n[events]\nto = "/dev/null"',
    ],
)
def test_takes_what_looks_alike_and_works(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)


def test_sizes_of_displays_are_those_that_luma_drives() -> None:
    from luma.core.error import DeviceDisplayModeError
    from luma.core.interface.serial import noop
    from luma.oled import device

    drivers = get_args(DisplaySettings.model_fields["driver"].annotation)
    assert set(drivers) == {"auto", *SIZES}
    for driver, sizes in SIZES.items():
        chip = getattr(device, driver)
        assert chip(noop()).size == sizes[0], driver
        usual = {(width, height) for width in range(32, 257, 16) for height in range(16, 129, 16)}
        for width, height in usual:
            try:
                chip(noop(), width=width, height=height)
            except DeviceDisplayModeError:
                assert (width, height) not in sizes
            else:
                assert (width, height) in sizes


def test_a_prior_names_all_seven_emotions(tmp_path: Path) -> None:
    assert "angry is missing" in refusal(tmp_path, "[fusion.prior]\nhappy = 0.5\n")
    whole = "[fusion.prior]\n" + "\n".join(f"{name} = 0.5" for name in EMOTIONS)
    assert list(load(tmp_path, whole).settings.fusion.prior) == list(EMOTIONS)


def test_a_picture_display_needs_a_file(tmp_path: Path) -> None:
    assert "needs [display] file" in refusal(tmp_path, '[display]\nkind = "gif"\n')
    assert DisplaySettings(kind="gif", file="a.gif").file == "a.gif"


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("MIEN_CAMERA__SOURCE", "1", "camera.source", 1),
        ("MIEN_CAMERA__SOURCE", "/dev/video1", "camera.source", "/dev/video1"),
        ("MIEN_CAMERA__ENABLED", "false", "camera.enabled", False),
        ("MIEN_FUSION__WEIGHTS", "70-30", "fusion.weights", "70-30"),
        ("MIEN_EVENTS__TO", "7", "events.to", "7"),
        ("MIEN_DISPLAY__ROTATE", "2", "display.rotate", 2),
        ("MIEN_DISPLAY__I2C_ADDRESS", "0x3D", "display.i2c_address", 0x3D),
        ("MIEN_LEDS__RECORDING_PIN", "none", "leds.recording_pin", "none"),
    ],
)
def test_environment_needs_no_quotes(
    tmp_path: Path, name: str, text: str, path: str, value: Any
) -> None:
    loaded = load(tmp_path, environment={name: text})
    section, key = path.split(".")
    assert getattr(getattr(loaded.settings, section), key) == value
    assert loaded.origins[path] == name


def test_environment_reaches_into_tables(tmp_path: Path) -> None:
    loaded = load(tmp_path, environment={"MIEN_LEDS__EMOTION_PINS__HAPPY": "5"})
    assert loaded.settings.of(LedSettings).emotion_pins == {"happy": 5}


def test_refuses_a_misspelt_variable_but_not_those_of_others(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, environment={"MIEN_CAMERA_SOURCE": "1", "PATH": "/bin"})
    assert sentence.endswith("did you mean MIEN_CAMERA__SOURCE?")
    load(tmp_path, environment={"MIEN_DEBUG": "1", "MIENS": "x"})


def test_every_setting_is_described_and_bounded() -> None:
    for path in setting_paths():
        info = find_field(path)
        assert info is not None
        assert info.description
        assert info.description.endswith(".")
        if info.annotation in (int, float):
            kinds = {type(item).__name__ for item in info.metadata}
            assert kinds & {"Ge", "Gt"}, path
            assert "Le" in kinds, path


def test_settings_know_the_seven_emotions() -> None:
    assert [path[2] for path in setting_paths() if path[:2] == ("fusion", "prior")] == list(
        EMOTIONS
    )


def test_prior_in_the_page_is_the_one_that_is_built_in() -> None:
    built_in = FusionOptions()
    extra = FusionSettings.model_fields["prior"].json_schema_extra
    assert isinstance(extra, dict)
    assert extra["example"] == dict(zip(EMOTIONS, built_in.prior.tolist(), strict=True))
    assert Settings().fusion.confidence_floor == built_in.confidence_floor
    assert Settings().fusion.nobody_after_s == built_in.nobody_after_s


def test_default_file_loads_to_the_built_in_settings(tmp_path: Path) -> None:
    loaded = load(tmp_path, default_toml())
    assert loaded.settings == Settings()
    plain = [path for path in setting_paths() if len(path) == 2]
    assert sorted(loaded.origins) == sorted(".".join(path) for path in plain)


def test_examples_in_the_default_file_are_right(tmp_path: Path) -> None:
    lines = default_toml().splitlines()
    opened, inside = [], False
    for line in lines:
        inside = line.startswith("# [") or (inside and line.startswith("# "))
        opened.append(line.removeprefix("# ") if inside else line)
    settings = load(tmp_path, "\n".join(opened)).settings
    assert len(settings.fusion.prior) == 7
    assert settings.of(LedSettings).emotion_pins


def test_shown_settings_load_to_the_same(tmp_path: Path) -> None:
    text = '[camera]\nsource = "/dev/video1"\n[leds.emotion_pins]\nsad = 5\n'
    loaded = load(tmp_path, text)
    shown = effective_toml(loaded.settings, loaded.origins)
    assert load(tmp_path, shown).settings == loaded.settings
    assert 'source = "/dev/video1"' in shown
    line = next(line for line in shown.splitlines() if line.startswith("sad = 5"))
    assert line.endswith("my.toml, line 4")


def test_page_of_settings_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == settings_page(), (
        "write it anew: python -m edge.config.render > docs/settings.md"
    )


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives_being_written_as_toml(text: str) -> None:
    assert tomllib.loads(f"value = {toml_value(text)}") == {"value": text}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            ("camera", "rate_hz"): st.integers(1, 120),
            ("camera", "enabled"): st.booleans(),
            ("display", "contrast"): st.integers(0, 255),
            ("face", "range"): st.sampled_from(["auto", "short", "full"]),
            ("fusion", "weights"): st.sampled_from(["bayes", "70-30"]),
            ("events", "to"): st.sampled_from(["", "-", "1", "unix:/run/mien", "true"]),
            ("microphone", "device"): st.one_of(st.integers(0, 99), st.just("USB mic")),
        },
    )
)
def test_file_and_environment_mean_the_same(values: dict[tuple[str, str], Any]) -> None:
    environment = {
        variable_name(path): value if isinstance(value, str) else toml_value(value)
        for path, value in values.items()
    }
    expected: dict[str, Any] = {}
    for (section, name), value in values.items():
        expected.setdefault(section, {})[name] = value
    loaded = load_settings(None, environment, system=NOWHERE)
    assert loaded.settings == Settings.model_validate(expected)


def test_a_byte_order_mark_is_no_mistake_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    marked, pipe = tmp_path / "marked.toml", tmp_path / "pipe"
    marked.write_bytes(b"\xef\xbb\xbf[camera]\nwidth_px = 320\n")
    os.mkfifo(pipe)
    assert load_settings(marked, environment={}).settings.camera.width_px == 320
    with pytest.raises(SettingsError, match="it is a pipe"):
        load_settings(pipe, environment={})


def test_empty_section_of_a_wrong_name_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[displai]\n[display]\n")
    with pytest.raises(SettingsError, match=r"there is no section \[displai\]; did you mean"):
        load_settings(file)


@pytest.mark.parametrize(
    "text",
    [
        f"[camera]\nwidth_px = {'9' * 5_000}",
        f"[camera]\nwidth_px = 0x{'f' * 5_000}",
        f"[camera]\nsource = {'[' * 5_000}",
        f'[face]\nrange = "{"x" * 100_000}"',
    ],
)
def test_a_value_beyond_all_measure_is_one_short_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"my\.toml") as failure:
        load_settings(file, environment={})
    assert len(str(failure.value)) < 600


@pytest.mark.parametrize("size", [0, 10**10])
def test_no_device_and_no_endless_file_is_read_as_settings(tmp_path: Path, size: int) -> None:
    file = tmp_path / "my.toml"
    if size:
        file.touch()
        os.truncate(file, size)
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(SettingsError, match=r"it is (a device|larger than 1 MB)"):
        load_settings(file, environment={})


def test_takes_offsets_that_fit(tmp_path: Path) -> None:
    text = '[display]\ndriver = "sh1107"\nwidth_px = 64\ncolumn_offset = 32\nrow_offset = 96\n'
    display = load(tmp_path, text).settings.of(DisplaySettings)
    assert (display.column_offset, display.row_offset) == (32, 96)
    assert display.panel_px == (64, 128)
