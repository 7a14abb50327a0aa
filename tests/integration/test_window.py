"""A window whose X server ends: Xlib would end the process."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from edge.config.paths import DEMO_CLIP
from edge.errors import OutputError
from edge.outputs import x_server
from edge.outputs.oled import Oled
from tests.fakes.process import finish, start

pytestmark = pytest.mark.skipif(not DEMO_CLIP.is_file(), reason="./setup.sh test makes the clip")


def moods(file: Path) -> int:
    return file.read_text().count('"mood"') if file.exists() else 0


def test_the_end_of_the_x_server_is_told_and_the_run_ends_in_order(tmp_path: Path) -> None:
    pytest.importorskip("luma.emulator", reason="luma.emulator is not installed")
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    reader, writer = os.pipe()
    events = tmp_path / "events"
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24"]
    with subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        number = os.read(reader, 10).decode().strip()
        flags = ("--demo", "--seconds", "10", "--display", "window", "--events", str(events))
        with start("run", *flags, DISPLAY=f":{number}") as run:
            end_s = time.monotonic() + 60
            while moods(events) < 8 and run.poll() is None and time.monotonic() < end_s:
                time.sleep(0.1)
            server.kill()
            done = finish(run)
    assert done.code == 0
    assert "The X server of the display window has ended: start Mien again" in done.err
    assert json.loads(events.read_text().splitlines()[-1])["event"] == "bye"


def test_no_other_window_is_opened_once_the_server_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(x_server.SERVER, "ended", True)
    with pytest.raises(OutputError, match=r"has ended: start Mien again"):
        Oled(device="window")
