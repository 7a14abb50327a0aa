"""Nothing of a frame or a sample leaves the appliance: every system call of a run is looked at."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.config.paths import REPO_ROOT
from tests.fakes.process import needs_demo
from tests.integration.confined import values_of
from tests.integration.leaks import Leaks
from tests.integration.strace import Trace, obstacle, traced

LIMIT_S = 100
DISPLAY = "/dev/i2c-1"
"""The service looks for its display there; where there is none, it asks again and again."""
CONFIG = """
[display]
kind = "oled"

[events]
to = "unix:{socket}"
"""
UNIT = REPO_ROOT / "systemd" / "mien.service"
pytestmark = pytest.mark.skipif(bool(obstacle()), reason=obstacle() or "strace works")


class Reader(threading.Thread):
    """Reads the events that a socket serves, and ends who serves it once it has seen enough."""

    def __init__(self, path: Path, enough: Callable[[bytes], bool]) -> None:
        super().__init__(daemon=True)
        self._path, self._enough, self._over = path, enough, threading.Event()
        self.read = b""

    def run(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            while not self._over.wait(0.02):
                try:
                    connection.connect(str(self._path))
                    break
                except OSError:
                    continue
            connection.settimeout(0.2)
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            server, _, _ = struct.unpack("3i", credentials)
            asked = False
            while not self._over.is_set():
                try:
                    part = connection.recv(65536)
                except TimeoutError:
                    continue
                if not part:
                    return
                self.read += part
                if not asked and self._enough(self.read):
                    asked = True
                    os.kill(server, signal.SIGTERM)

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self.join(5)


@pytest.fixture
def run_folder(tmp_path: Path) -> Iterator[Path]:
    """Stands in for /run/mien; its path is short enough for a socket's."""
    folder = tmp_path / "run"
    folder.mkdir()
    yield folder


def service_environment() -> dict[str, str]:
    """What the unit sets, but for what names folders of the device."""
    settings = [word for line in values_of(UNIT, "Environment") for word in line.split()]
    return dict(word.split("=", 1) for word in settings if word.startswith("PYTHON"))


def received(datagrams: socket.socket) -> list[str]:
    """All that lie ready."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(datagrams.recv(4096).decode())
    return found


def seen_and_heard(lines: bytes) -> bool:
    """Whether a face has been read, and words: then every stage has done its work."""
    events = [json.loads(line) for line in lines.splitlines() if line.endswith(b"}")]
    moods = [event for event in events if event["event"] == "mood"]
    return all(any(mood[sense]["present"] for mood in moods) for sense in ("face", "voice"))


def judged(trace: Trace, run_folder: Path, devices: tuple[str, ...] = ()) -> Leaks:
    leaks = Leaks(str(run_folder), devices)
    for call in trace.calls:
        leaks.judge(call)
    return leaks


@needs_demo
def test_a_run_writes_nothing_but_events_and_a_few_sentences(
    tmp_path: Path, run_folder: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(socket=run_folder / "events"))
    home = tmp_path / "home"
    home.mkdir()
    reader = Reader(run_folder / "events", seen_and_heard)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        reader.start()
        flags = ("run", "--demo", "--seconds", str(LIMIT_S - 20), "--config", str(config))
        trace = traced(
            [sys.executable, "-m", "edge", *flags],
            {
                **service_environment(),
                "PYTHONPATH": str(REPO_ROOT),
                "HOME": str(home),
                "TMPDIR": str(home),
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "20000000",
            },
            run_folder,
            LIMIT_S,
        )
        reader.stop()
        told = received(systemd)
    assert trace.exit_code == 0, trace.err
    events = [json.loads(line) for line in reader.read.splitlines()]
    leaks = judged(trace, run_folder, (DISPLAY,))
    assert leaks.finish(events[-1]["t"]) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [config]
    # The run was a whole one, and the log has all of it.
    assert "READY=1" in told
    assert leaks.said("UNIX:").splitlines() == told
    assert leaks.said("UNIX-STREAM:") == reader.read.decode()
    assert events[-1]["event"] == "bye"
    if not seen_and_heard(reader.read):
        pytest.skip("nothing was found, but the machine was too busy to read a face and words")


LEAKS = {
    "opened for writing": """
        import struct
        with open("frame.npy", "wb") as file:
            file.write(frame)
    """,
    "frame.tmp opened for writing": """
        os.close(os.open("/dev/shm/frame.tmp", os.O_RDWR | os.O_CREAT))
        os.unlink("/dev/shm/frame.tmp")
    """,
    "memfd_create": "os.write(os.memfd_create('frame'), frame)",
    "a way out that is not allowed: symlinkat\\(|a way out that is not allowed: symlink\\(": """
        os.symlink(frame.hex()[:200], "frame")
    """,
    "a way out that is not allowed: mkdir(at)?\\(": "os.mkdir(frame.hex()[:200])",
    "a way out that is not allowed: execve": """
        os.posix_spawn("/bin/true", ["true", frame.hex()], {})
    """,
    "a socket to a network": """
        import _socket
        _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM).sendto(frame[:999], ("127.0.0.1", 9))
    """,
    "a descriptor passed on": """
        import socket, array
        ends = socket.socketpair()
        socket.send_fds(ends[0], [b"x"], [os.open("/dev/null", os.O_RDONLY)])
    """,
    "bytes that are no text": "os.write(1, frame)",
    "more than 4096 bytes in one go": "os.write(1, b'text ' * 2000)",
    "something longer than a sentence": "os.write(1, frame.hex()[:300].encode())",
    "bytes of sentences": "[os.write(1, b'word ' * 50 + b'\\\\n') for _ in range(20)]",
    "an event with other members": """
        os.write(2, b'{"event":"bye","t":1.0,"frame":"' + frame.hex()[:40].encode() + b'"}')
    """,
    "no event .a number with too many digits": """
        os.write(2, b'{"event":"bye","t":0.' + str(int.from_bytes(frame, "big") % 10**99).encode() + b'}')
    """,
    "memory shared with": """
        import mmap
        with open("kept", "r+b") as file:
            mmap.mmap(file.fileno(), 4096)[:900] = frame[:900]
    """,
}


@pytest.mark.parametrize("expected", LEAKS)
def test_a_program_that_lets_a_frame_out_is_found(
    expected: str, tmp_path: Path, run_folder: Path
) -> None:
    (run_folder / "kept").write_bytes(bytes(4096))
    script = "import os\nframe = bytes(range(256)) * 36\n" + textwrap.dedent(LEAKS[expected])
    trace = traced([sys.executable, "-S", "-c", script], {}, run_folder, 60)
    assert trace.exit_code == 0, trace.err
    found = judged(trace, run_folder).finish(1)
    assert any(re.search(expected, finding) for finding in found), found


def test_a_program_that_lets_nothing_out_is_not_accused(tmp_path: Path, run_folder: Path) -> None:
    script = """
import os, socket, threading
frame = bytes(range(256)) * 36
inner = os.pipe()
threading.Thread(target=lambda: os.write(inner[1], frame)).start()
assert os.read(inner[0], len(frame))
os.write(os.open("/dev/null", os.O_WRONLY), frame)
server = socket.socket(socket.AF_UNIX)
server.bind(os.path.abspath("events"))
os.unlink(os.path.abspath("events"))
os.write(1, b'{"event":"bye","t":1.5}\\n')
os.write(2, b"mien: The camera hangs; it is started again.\\n")
"""
    trace = traced([sys.executable, "-S", "-c", script], {}, run_folder, 60)
    assert trace.exit_code == 0, trace.err
    assert judged(trace, run_folder).finish(1) == []
