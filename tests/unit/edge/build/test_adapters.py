"""Adapters of other packages that fail when they are asked for something."""

from typing import Any

import pytest

from edge.build.outputs import output_makers
from edge.build.sensors import attached_cameras, open_camera
from edge.config.adapters import NoSettings, Registry, Source
from edge.config.schema import Settings
from edge.hardware.host import Host
from edge.outputs import OutputAdapter
from edge.sensors import CameraAdapter


def fails(*given: object) -> Any:
    raise ZeroDivisionError("of others")


@pytest.mark.parametrize("room", ["sensors", "outputs"])
def test_what_crashes_when_it_is_asked_costs_nobody_else(
    monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    group, host = f"mien.{room}", Host()
    opened: Any = object()
    good: dict[str, Any] = {
        "sensors": CameraAdapter(
            NoSettings, lambda own, host: [("good", "Good")], lambda *_: opened
        ),
        "outputs": OutputAdapter(NoSettings, lambda own, host: [lambda: opened]),
    }
    bad: dict[str, Any] = {
        "sensors": CameraAdapter(NoSettings, fails, fails),
        "outputs": OutputAdapter(NoSettings, fails),
    }
    registry = Registry(
        [Source(group, "good", lambda: good[room])],
        [Source(group, "bad", lambda: bad[room], "mien-bad 1.0")],
    )
    monkeypatch.setattr(f"edge.build.{room}.registry", lambda: registry)
    if room == "sensors":
        assert list(attached_cameras(Settings(), host)) == [("good", "Good")]
        assert open_camera(Settings(), host) is opened
    else:
        (make,) = output_makers(Settings(), host)
        assert make() is opened
    (sentence,) = registry.problems
    assert "bad of the package mien-bad 1.0 is left out (ZeroDivisionError: of others)" in sentence


def test_a_fault_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = CameraAdapter(NoSettings, fails, fails)
    registry = Registry([Source("mien.sensors", "opencv", lambda: ours)])
    monkeypatch.setattr("edge.build.sensors.registry", lambda: registry)
    with pytest.raises(ZeroDivisionError):
        open_camera(Settings(), Host())
