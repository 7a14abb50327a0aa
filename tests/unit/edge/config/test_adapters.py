import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from edge.config.adapters import Adapter, Registry, Source
from edge.config.fields import Section, setting


class SignSettings(Section):
    """A sign."""

    text: str = setting("", "What it says.")


class Unexplained(Section):
    """A section that could not be shown."""

    text: str = ""


OWN = Source("mien.outputs", "leds", lambda: Adapter(SignSettings))


def of_others(
    name: str = "sign",
    load: Callable[[], Any] = lambda: Adapter(SignSettings),
    package: str = "mien-sign 1.2",
) -> Source:
    return Source("mien.outputs", name, load, package)


def test_an_adapter_of_another_package_stands_beside_ours_and_brings_its_section() -> None:
    registry = Registry([OWN], [of_others()])
    assert registry.names("mien.outputs") == ("leds", "sign")
    assert list(registry.sections(taken=())) == ["leds", "sign"]
    assert registry.package("sign") == "mien-sign 1.2"
    assert registry.problems == ()


def fails() -> Any:
    raise ImportError("libsign.so.1: cannot open\nshared object file")


def ends() -> Any:
    sys.exit(3)


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (fails, "ImportError: libsign.so.1: cannot open shared object file"),
        (ends, "it ends the program with 3"),
        (lambda: "sign", "it names no Adapter, but a str"),
        (lambda: Adapter(Unexplained), "its setting text has no description"),
    ],
)
def test_a_broken_package_is_told_in_one_sentence_and_the_rest_runs(
    load: Callable[[], Any], why: str
) -> None:
    registry = Registry([OWN], [of_others(load=load)])
    for _ in range(2):
        assert list(registry.all(Adapter, "mien.outputs")) == ["leds"]
    (sentence,) = registry.problems
    assert sentence.startswith("The output sign of the package mien-sign 1.2 is left out (")
    assert why in sentence
    assert sentence.endswith("remove it with pip uninstall mien-sign.")
    assert list(registry.broken) == ["sign"]


def test_an_adapter_of_our_own_that_is_broken_is_our_fault_and_is_raised() -> None:
    registry = Registry([Source("mien.outputs", "leds", fails)])
    with pytest.raises(ImportError):
        registry.all(Adapter, "mien.outputs")


def test_a_name_that_is_taken_stays_with_whoever_had_it() -> None:
    foreign = [
        of_others("leds"),
        of_others("camera"),
        of_others("Sign!"),
        of_others("sign", package="later 2.0"),
        of_others("sign", package="earlier 1.0"),
    ]
    registry = Registry([OWN], foreign)
    assert list(registry.sections(taken=["camera"])) == ["leds", "sign"]
    assert registry.package("sign") == "earlier 1.0"
    said = "\n".join(registry.problems)
    assert len(registry.problems) == 4
    assert "leds of the package mien-sign 1.2 is left out (there is another adapter" in said
    assert "sign of the package later 2.0 is left out (there is another adapter" in said
    assert "[camera] is a section of Mien's own" in said
    assert "not of small letters" in said
    assert not registry.broken


def test_settings_are_read_without_numpy_or_the_library_of_any_device() -> None:
    code = (
        "import sys, edge.config.load\n"
        "heavy = {'numpy', 'PIL', 'cv2', 'luma', 'RPi', 'pyaudio', 'picamera2', 'soxr'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
