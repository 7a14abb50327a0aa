"""What a new release has to do in its probation."""

from dataclasses import replace

import pytest

from edge.upgrade.observation import Observation
from edge.upgrade.probation import Before, Limits, judge, recorded

BEFORE = Before(True, ("face", "voice"), 0, 100.0)
LIMITS = Limits(60.0)
BOTH = {"face": "ok", "voice": "ok"}
START = Observation(0.0, "activating")


def running(t_s: float, **differs: object) -> Observation:
    seen = Observation(t_s, "active", senses=BOTH, memory_mb=95.0)
    return replace(seen, **differs)  # type: ignore[arg-type]


def minute(**differs: object) -> list[Observation]:
    """READY after 2 s, then a minute of looks that differ."""
    return [START, running(2.0), *(running(2.0 + t, **differs) for t in range(1, 61))]


def test_what_does_all_that_the_old_one_did_passes_when_the_time_is_over() -> None:
    assert judge(BEFORE, minute()[:-1], LIMITS).state == "waiting"
    assert judge(BEFORE, minute(), LIMITS).state == "passed"


@pytest.mark.parametrize(
    ("result", "status", "why"),
    [
        ("exit-code", 1, "it ended with exit code 1 within 31 s"),
        ("signal", 11, "it was ended by signal 11 within 31 s"),
        ("core-dump", 11, "it crashed with signal 11 within 31 s"),
        ("watchdog", 0, "it hung and was ended by the watchdog within 31 s"),
        ("oom-kill", 9, "it ran out of memory within 31 s"),
        ("timeout", 0, "it did not say READY in the time that its unit gives it within 31 s"),
    ],
)
def test_an_end_is_enough_and_named(result: str, status: int, why: str) -> None:
    ended = Observation(31.0, "activating", result, status, restarts=0)
    # systemd forgets the reason once the next start has gone well.
    again = running(33.0, restarts=1)
    verdict = judge(BEFORE, [START, running(2.0), ended, again], LIMITS)
    assert (verdict.state, verdict.why) == ("failed", why)


def test_wrong_settings_which_keep_it_down_fail_at_once() -> None:
    down = Observation(3.0, "failed", "exit-code", 2)
    assert judge(BEFORE, [START, down], LIMITS).why == "it ended with exit code 2 within 3 s"


def test_an_old_one_that_died_now_and_then_allows_one_death_and_no_two() -> None:
    shaky = replace(BEFORE, restarts=40)
    assert judge(shaky, minute(restarts=1), LIMITS).state == "passed"
    assert judge(shaky, minute(restarts=2), LIMITS).state == "failed"


def test_ready_has_to_come_in_time() -> None:
    looks = [START, *(Observation(float(t), "activating") for t in range(1, 60))]
    assert judge(BEFORE, looks, LIMITS).state == "waiting"
    looks.append(Observation(60.0, "activating"))
    assert judge(BEFORE, looks, LIMITS).why == "it has not said READY within 60 s"


@pytest.mark.parametrize("sense", ["face", "voice"])
def test_a_sense_that_worked_before_has_to_work(sense: str) -> None:
    verdict = judge(BEFORE, minute(senses=BOTH | {sense: "lost"}), LIMITS)
    assert verdict.why == f"the {sense} worked before and does not any more (it is lost now)"
    # What did not work before is not asked for.
    others = replace(BEFORE, senses=tuple({"face", "voice"} - {sense}))
    assert judge(others, minute(senses=BOTH | {sense: "lost"}), LIMITS).state == "passed"


def test_a_fault_is_quoted() -> None:
    verdict = judge(BEFORE, minute(senses={}, fault="The models are damaged."), LIMITS)
    assert verdict.why.endswith("does not any more (The models are damaged)")


def test_a_plug_that_is_pulled_for_a_moment_is_nobodys_fault() -> None:
    looks = minute()
    looks[10:25] = [replace(each, senses={"face": "lost", "voice": "ok"}) for each in looks[10:25]]
    assert judge(BEFORE, looks, LIMITS).state == "passed"
    looks[-1] = replace(looks[-1], senses={"face": "lost", "voice": "ok"})
    assert judge(BEFORE, looks, LIMITS).state == "passed"


def test_much_more_memory_than_the_old_one_took_fails_at_once() -> None:
    looks = [START, running(2.0), running(3.0, memory_mb=199.0)]
    assert judge(BEFORE, looks, LIMITS).state == "waiting"
    looks.append(running(4.0, memory_mb=201.0))
    assert (
        judge(BEFORE, looks, LIMITS).why == "it takes 201 MB of memory where the old one took 100"
    )


def test_memory_that_goes_on_growing_fails_and_warming_up_does_not() -> None:
    unknown = replace(BEFORE, memory_mb=None)

    def grown(by_mb: float) -> list[Observation]:
        return [START, *(running(2.0 + t, memory_mb=60.0 + by_mb * t) for t in range(61))]

    assert judge(unknown, grown(2.0), LIMITS).why.startswith("its memory grows: 119 MB, and 160")
    assert judge(unknown, grown(0.5), LIMITS).state == "passed"
    # Most of it in the first third.
    warm = [START, *(running(2.0 + t, memory_mb=60.0 + 3 * min(t, 20)) for t in range(61))]
    assert judge(unknown, warm, LIMITS).state == "passed"


def test_where_the_old_one_did_not_run_the_new_one_may_stay() -> None:
    before = recorded(Observation(0.0, "failed", "exit-code", 2))
    assert before == Before(False)
    assert judge(before, [START, running(2.0)], LIMITS).state == "passed"
    looks = [START, Observation(60.0, "failed", "exit-code", 1, restarts=9)]
    assert judge(before, looks[:1], LIMITS).state == "waiting"
    assert judge(before, looks, LIMITS).state == "passed"


def test_what_the_old_one_did_is_what_worked() -> None:
    seen = running(0.0, senses={"face": "ok", "voice": "lost"}, restarts=2)
    assert recorded(seen) == Before(True, ("face",), 2, 95.0)


def test_a_service_that_somebody_stopped_for_good_has_not_passed() -> None:
    looks = minute()
    looks[-1] = replace(looks[-1], active="inactive")
    assert "systemd calls it inactive" in judge(BEFORE, looks, LIMITS).why
