"""What is different when systemd runs Mien."""

import io
import math
import sys

import pytest

from edge.build.outputs import this_host
from edge.build.policies import heat_reader, idle_policy, load_policy
from edge.config.schema import Settings
from edge.errors import OutputError
from edge.hardware.thermal import Heat
from edge.outputs.display import DisplaySettings, open_display
from edge.outputs.terminal import Preview
from edge.runtime.idle_policy import IdleOptions


def test_service_waits_for_its_oled_and_writes_no_moods_to_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    display, host = DisplaySettings(i2c_port=213), this_host(Settings())
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert isinstance(open_display(display, host), Preview)
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    with pytest.raises(OutputError, match="I2C bus 213"):
        open_display(display, host)


def test_settings_of_resting_and_load_reach_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate(
        {"idle": {"slow_after_s": 2.0, "sleep_after_s": 0.0}, "load": {"hot_c": 70.0}}
    )
    idle, policy = idle_policy(settings), load_policy(settings)
    assert idle is not None
    assert idle.options == IdleOptions(2.0, 60.0, 60.0, math.inf)
    assert policy is not None
    monkeypatch.setattr("edge.build.policies.board_name", lambda: "")
    assert heat_reader()() == Heat()
    off = Settings.model_validate({"idle": {"enabled": False}, "load": {"enabled": False}})
    assert idle_policy(off) is None
    assert load_policy(off) is None


def test_built_in_settings_of_resting_are_those_of_the_policy() -> None:
    idle = idle_policy(Settings())
    assert idle is not None
    assert idle.options == IdleOptions()
