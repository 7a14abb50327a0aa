"""`mien run` as a service of Type=notify: what it tells systemd, with the real models and a clip."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.process.crash_record import read_record
from tests.fakes.process import needs_demo, start

pytestmark = needs_demo


class Systemd:
    """The receiving end of sd_notify."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.path = path
        self.heard: list[str] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Run Mien as a service that is watched every 2 s."""
        told = {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": "2000000"}
        return start("run", *arguments, **told)

    def wait_for(self, wanted: str, limit_s: float = 60) -> str:
        """The next message that begins with *wanted*."""
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            self._socket.settimeout(max(0.01, end_s - time.monotonic()))
            try:
                message = self._socket.recv(4096).decode()
            except TimeoutError:
                break
            self.heard.append(message)
            if message.startswith(wanted):
                return message
        pytest.fail(f"{wanted} never came; heard {self.heard[-5:]}")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    receiver = Systemd(tmp_path / "notify")
    yield receiver
    receiver.close()


def test_service_is_ready_with_the_first_frame_lives_and_says_that_it_stops(
    systemd: Systemd,
) -> None:
    process = systemd.start("--demo", "--display", "none")
    try:
        systemd.wait_for("READY=1")
        assert not any(message.startswith("WATCHDOG") for message in systemd.heard)
        assert systemd.wait_for("STATUS=Running").startswith("STATUS=Running: face ok")
        for _ in range(3):
            systemd.wait_for("WATCHDOG=1", 2)
        process.send_signal(signal.SIGTERM)
        systemd.wait_for("STOPPING=1", 5)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in err


def test_service_without_any_sense_is_ready_shows_the_fault_and_lives(systemd: Systemd) -> None:
    process = systemd.start(
        "--camera", "/dev/video99", "--no-voice", "--display", "none", "--events", "-"
    )
    try:
        systemd.wait_for("READY=1")
        (status,) = [told for told in systemd.heard if told.startswith("STATUS=Fault")]
        assert "/dev/video99" in status
        systemd.wait_for("WATCHDOG=1", 2)
        systemd.wait_for("WATCHDOG=1", 2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 0
    assert '"shown":"fault"' in out
    assert "Traceback" not in err


def test_a_crash_of_native_code_is_kept_in_memory_over_the_restart(
    systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    for last_signal in (signal.SIGSEGV, signal.SIGTERM):
        process = systemd.start("--camera", "/dev/video99", "--no-voice", "--display", "none")
        try:
            systemd.wait_for("READY=1")
            process.send_signal(last_signal)
            process.communicate(timeout=10)
        finally:
            process.kill()
    entries = read_record(str(tmp_path / "crashes"))
    kinds = [entry["kind"] for entry in entries]
    assert [kind for kind in kinds if kind != "notice"] == ["start", "native", "start", "end"]
    (native,) = [entry["text"] for entry in entries if entry["kind"] == "native"]
    assert "Segmentation fault" in native
    assert "in _loop" in native  # where the main thread was
    assert "/dev/video99" in next(entry["text"] for entry in entries if entry["kind"] == "notice")
