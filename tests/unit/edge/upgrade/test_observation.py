"""The service, as systemd and the kernel describe it."""

import pytest

from edge.upgrade.observation import own_memory_mb, parse, senses_of


@pytest.mark.parametrize(
    ("status", "senses"),
    [
        ("Running: face ok, voice ok", {"face": "ok", "voice": "ok"}),
        ("Starting: face starting", {"face": "starting"}),
        (
            "Running: face ok, voice lost (The microphone (USB, voice ok) is gone.)",
            {"face": "ok", "voice": "lost"},
        ),
        ("Fault: The face ok or not is unknown.", {}),
        ("", {}),
    ],
)
def test_senses_are_told_from_what_is_said_of_them(status: str, senses: dict[str, str]) -> None:
    assert senses_of(status) == senses


def test_a_look_holds_what_systemd_shows() -> None:
    shown = "ActiveState=activating\nResult=signal\nExecMainStatus=11\nNRestarts=4\n"
    seen = parse(shown + "StatusText=Fault: No camera = no face.\n", 80.5, 7.0)
    assert (seen.active, seen.result, seen.status) == ("activating", "signal", 11)
    assert (seen.restarts, seen.t_s, seen.memory_mb) == (4, 7.0, 80.5)
    assert seen.fault == "No camera = no face."


def test_a_systemd_that_says_nothing_is_no_running_service() -> None:
    seen = parse("", None, 0.0)
    assert (seen.active, seen.restarts) == ("unknown", 0)


def test_own_memory_is_what_lies_in_no_file() -> None:
    assert own_memory_mb("VmRSS:\t  200000 kB\nRssAnon:\t   90000 kB\n") == pytest.approx(92.16)
    assert own_memory_mb("") is None
