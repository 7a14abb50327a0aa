"""Whether a new release does at least what the old one did: rules without any I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from edge.upgrade.observation import Observation

MEMORY_FACTOR: Final = 1.5
MEMORY_EXTRA_MB: Final = 50.0
"""A new version may take so much more than the old one took."""
GROWTH_MB: Final = 25.0
GROWTH_SHARE: Final = 0.2
"""A run warms up: from the second third of its probation to the last it may grow by so much."""
_ENDS: Final = {
    "watchdog": "it hung and was ended by the watchdog",
    "oom-kill": "it ran out of memory",
    "timeout": "it did not say READY in the time that its unit gives it",
    "exit-code": "it ended with exit code {status}",
    "signal": "it was ended by signal {status}",
    "core-dump": "it crashed with signal {status}",
}


@dataclass(frozen=True)
class Before:
    """What the old release did on this machine just before."""

    running: bool
    senses: tuple[str, ...] = ()
    """Those that worked."""
    restarts: int = 0
    memory_mb: float | None = None


@dataclass(frozen=True)
class Limits:
    """How long a probation takes, in seconds."""

    watch_s: float
    """From READY on."""

    @property
    def ready_s(self) -> float:
        """For READY to come."""
        return max(self.watch_s, 20.0)


@dataclass(frozen=True)
class Verdict:
    """Whether the new release may stay."""

    state: Literal["waiting", "passed", "failed"]
    why: str = ""
    """Of a failure: goes into "X did not pass its probation: ..."."""


WAITING: Final = Verdict("waiting")
PASSED: Final = Verdict("passed")


def recorded(seen: Observation) -> Before:
    """What *seen*, of the old release, asks of the new one."""
    working = tuple(name for name, state in seen.senses.items() if state == "ok")
    return Before(seen.active == "active", working, seen.restarts, seen.memory_mb)


def judge(before: Before, seen: Sequence[Observation], limits: Limits) -> Verdict:
    """Judge the new release by all that was *seen* of it, in order; the first is of its start."""
    last = seen[-1]
    ready = next((each for each in seen if each.active == "active"), None)
    if not before.running:
        # Nothing to compare with: it may stay once it runs, and is no worse if it does not.
        over = last.t_s - seen[0].t_s >= limits.ready_s
        return PASSED if ready is not None or over else WAITING
    # One that started itself anew now and then may go on doing so.
    if last.restarts > min(before.restarts, 1) or last.active == "failed":
        return Verdict("failed", how_it_ended(seen))
    if ready is None:
        if last.t_s - seen[0].t_s < limits.ready_s:
            return WAITING
        return Verdict("failed", f"it has not said READY within {limits.ready_s:.0f} s")
    since = [each for each in seen if each.t_s >= ready.t_s]
    excess = _too_much_memory(before, last)
    if excess:
        return Verdict("failed", excess)
    if last.t_s - ready.t_s < limits.watch_s:
        return WAITING
    if last.active != "active":
        return Verdict("failed", f"it does not run any more (systemd calls it {last.active})")
    trouble = _lost_sense(before, since) or _growth(since)
    return Verdict("failed", trouble) if trouble else PASSED


def how_it_ended(seen: Sequence[Observation]) -> str:
    """Why it ended last, and after how long."""
    end = next((each for each in reversed(seen) if each.result != "success"), seen[-1])
    how = _ENDS.get(end.result, "it ended by itself").format(status=end.status)
    return f"{how} within {end.t_s - seen[0].t_s:.0f} s"


def _too_much_memory(before: Before, last: Observation) -> str:
    if before.memory_mb is None or last.memory_mb is None:
        return ""
    if last.memory_mb <= before.memory_mb * MEMORY_FACTOR + MEMORY_EXTRA_MB:
        return ""
    return (
        f"it takes {last.memory_mb:.0f} MB of memory where the old one took {before.memory_mb:.0f}"
    )


def _growth(since: Sequence[Observation]) -> str:
    """Memory that grows when the warming up should be over."""
    known = [each.memory_mb for each in since if each.memory_mb is not None]
    third = len(known) // 3
    if not third:
        return ""
    middle, end = median(known[third : 2 * third]), median(known[2 * third :])
    if end - middle <= max(GROWTH_MB, GROWTH_SHARE * middle):
        return ""
    return f"its memory grows: {middle:.0f} MB, and {end:.0f} a little later"


def _lost_sense(before: Before, since: Sequence[Observation]) -> str:
    """A sense that worked before and, most of the time and at the end, does not any more."""
    last = since[-1]
    for name in before.senses:
        works = [each.senses.get(name) == "ok" for each in since]
        if not works[-1] and sum(works) * 2 < len(works):
            state = last.fault or f"it is {last.senses.get(name, 'off')} now"
            return f"the {name} worked before and does not any more ({state.rstrip('.')})"
    return ""
