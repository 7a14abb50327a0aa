"""Judges a soak by what came out of it: memory, descriptors, threads, and that it did its work."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.acceptance.common.table import Proof
from tests.acceptance.soak.slope import Sample, flatness, sparkline, trend

MB_PER_H: Final = 1.0
"""The bar."""
WARM_UP_SHARE: Final = 1 / 4
"""Of the time: 15 minutes of an hour, in which each thread has met its largest need."""
TENTHS: Final = 10
RIG: Final = "The appliance itself"
MEMORY: Final = "Memory of its own"
"""What is in no file, swapped out or not. Pages of files (libraries, models) are the kernel's cache: it
takes them away and brings them back as it likes, by megabytes, which would hide or feign a growth."""
FILES: Final = "File descriptors"
THREADS: Final = "Threads"
WORK: Final = "What it did meanwhile"


class Told(NamedTuple):
    """What of a mood matters here."""

    t_s: float
    senses: str
    """How both senses fared, as "ok+ok"."""
    seen: bool
    heard: bool


@dataclass
class Seen:
    """What came out of the appliance."""

    samples: list[Sample] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    """When a sign of life came, monotonic."""
    moods: list[Told] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    """Lines that are no events."""
    visits: int = 0
    ready_s: float = 0.0
    summary: str = ""
    """Its own last words."""


def note(seen: Seen, line: bytes, t_s: float) -> None:
    """Keep what one *line* of the events says."""
    try:
        event = json.loads(line)
        kind = event["event"]
        if kind == "mood":
            face, voice = event["face"], event["voice"]
            states = f"{face['state']}+{voice['state']}"
            seen.moods.append(Told(t_s, states, face["present"], voice["present"]))
        elif kind == "notice":
            seen.notices[f"{event['part']} {event['kind']}"] += 1
    except (ValueError, KeyError, TypeError):
        seen.odd.append(line.decode("utf-8", "replace")[:80])


def picture(samples: Sequence[Sample]) -> str:
    """Memory, threads and descriptors over the whole run, for people."""
    lines = []
    for name, numbers in (
        ("resident, MB", [one.resident_mb for one in samples]),
        ("anonymous, MB", [one.anonymous_mb for one in samples]),
        ("threads", [float(one.threads) for one in samples]),
        ("descriptors", [float(one.files) for one in samples]),
    ):
        low, high = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
        lines.append(f"{name:<14}{low:>8.1f} {sparkline(numbers)} {high:.1f}\n")
    return "".join(lines)


def judge(seen: Seen, run_s: float, round_s: float) -> Iterator[Proof]:
    """The proofs of a run of *run_s* seconds, of which the clip takes *round_s* to go round."""
    warm_s = run_s * WARM_UP_SHARE
    warm = [one for one in seen.samples if one.t_s >= warm_s]
    times = [one.t_s for one in warm]
    yield judge_memory(times, warm)
    for what, counts in (
        (FILES, [one.files for one in warm]),
        (THREADS, [one.threads for one in warm]),
    ):
        if len(counts) < 3:
            yield Proof(what, "not run", "it took too short a time")
            continue
        found = flatness(counts)
        yield Proof(what, "passed" if found.flat else "FAILED", str(found))
    if run_s / TENTHS < round_s:
        yield Proof(WORK, "not run", f"a tenth of the time is less than the clip's {round_s:.0f} s")
    else:
        yield judge_work(seen, run_s)


def judge_memory(t_s: Sequence[float], warm: Sequence[Sample]) -> Proof:
    """Proven if all of the interval keeps the bar, failed if nothing of it does."""
    sizes_mb = [one.anonymous_mb for one in warm]
    try:
        found = trend(t_s, sizes_mb)
    except ValueError as error:
        return Proof(MEMORY, "not run", f"it took too short a time: {error}")
    seen = (
        f"{found}, 95 % sure; {sizes_mb[0]:.1f} MB after {t_s[0] / 60:.1f} minutes of warming up, "
        f"{sizes_mb[-1]:.1f} MB at the end, {max(sizes_mb):.1f} MB at most; with pages of files "
        f"{warm[0].resident_mb:.1f} and {warm[-1].resident_mb:.1f} MB"
    )
    if found.high <= MB_PER_H:
        return Proof(MEMORY, "passed", seen)
    if found.low > MB_PER_H:
        return Proof(MEMORY, "FAILED", seen)
    return Proof(MEMORY, "not run", f"{seen}: too short a time to be sure")


def judge_work(seen: Seen, run_s: float) -> Proof:
    """Whether it saw and heard all the while, and nothing of it was started again."""
    blind, deaf = set(range(1, TENTHS + 1)), set(range(1, TENTHS + 1))
    for mood in seen.moods:
        tenth = min(TENTHS, 1 + int(mood.t_s / run_s * TENTHS))
        blind -= {tenth} if mood.seen else set()
        deaf -= {tenth} if mood.heard else set()
    # The second sense starts after the first, with which it is READY.
    warm_s = run_s * WARM_UP_SHARE
    senses = Counter(mood.senses for mood in seen.moods if mood.t_s >= warm_s)
    # What a machine does that has too little time for it is no fault of its own.
    restarted = {
        name: n for name, n in seen.notices.items() if not name.endswith((" pace", " stopped"))
    }
    stopped = sum(n for name, n in seen.notices.items() if name.endswith(" stopped"))
    cpu_s = seen.samples[-1].cpu_s - seen.samples[0].cpu_s if seen.samples else 0.0
    said = (
        f"a face seen and a voice heard in every tenth of the time; {len(seen.moods)} moods to "
        f"{seen.visits} readers; no part was started again, {sum(seen.notices.values()) - stopped} "
        f"changes of pace, {stopped} times stopped by the machine; "
        f"{cpu_s / run_s:.0%} of one processor; its last words: {seen.summary}"
    )
    faults = [
        *(f"{len(seen.odd)} lines that are no events: {seen.odd[0]}" for _ in seen.odd[:1]),
        *(f"{name} ({n} times)" for name, n in restarted.items()),
        *(f"nobody seen in tenth {tenth}" for tenth in sorted(blind)),
        *(f"nobody heard in tenth {tenth}" for tenth in sorted(deaf)),
        *(f"senses {name} in {n} moods" for name, n in senses.items() if name != "ok+ok"),
    ]
    return Proof(WORK, "FAILED" if faults else "passed", "; ".join(faults) or said)
