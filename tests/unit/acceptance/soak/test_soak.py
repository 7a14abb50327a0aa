"""The soak's arithmetic and verdicts: what it would take for a leak, and what not."""

import mmap
import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config.load import load_settings
from edge.outputs.event_file import FileLines
from edge.outputs.event_socket import SocketLines
from tests.acceptance.common.programs import RigError
from tests.acceptance.soak.judge import (
    FILES,
    MEMORY,
    THREADS,
    WORK,
    Seen,
    Told,
    judge,
    note,
)
from tests.acceptance.soak.outputs import APPLIANCE, OUTPUTS
from tests.acceptance.soak.readers import FileReader, SocketReader
from tests.acceptance.soak.slope import (
    Sample,
    flatness,
    held,
    read_cpu_ticks,
    read_status,
    sample,
    trend,
)
from tests.acceptance.soak.soak import soak_of, take

HOUR_S = 3600.0
EVERY_S = 5.0
STATUS = """Name:\tpython: x
Umask:\t0022
State:\tS (sleeping)
VmHWM:\t  300000 kB
VmRSS:\t  204800 kB
RssAnon:\t  102400 kB
VmSwap:\t    1024 kB
Threads:\t27
SigQ:\t0/96374
"""


def hour(
    slope_mb_per_h: float = 0.0,
    noise_mb: float = 0.5,
    files_per_h: float = 0.0,
    threads_per_h: float = 0.0,
    run_s: float = HOUR_S,
) -> list[Sample]:
    """Samples of a run, with a rise at the start, as real ones have."""
    chance = random.Random(1)
    return [
        Sample(
            t_s,
            200 + chance.uniform(0, 40),  # pages of files come and go
            100
            - 20 * np.exp(-t_s / 60)
            + slope_mb_per_h * t_s / HOUR_S
            + chance.gauss(0, noise_mb),
            26 + chance.choice((0, 0, 1, 2)) + int(threads_per_h * t_s / HOUR_S),
            12 + chance.choice((0, 1)) + int(files_per_h * t_s / HOUR_S),
            0.8 * t_s,
        )
        for t_s in np.arange(0, run_s, EVERY_S).tolist()
    ]


def seen(samples: list[Sample], run_s: float = HOUR_S) -> Seen:
    """A run that did its work."""
    moods = [Told(t_s, "ok+ok", t_s % 2 == 0, t_s % 3 == 0) for t_s in range(int(run_s))]
    return Seen(samples=samples, moods=moods, visits=3)


def verdicts(found: Seen, run_s: float = HOUR_S) -> dict[str, str]:
    return {proof.what: proof.outcome for proof in judge(found, run_s, 10.0)}


def test_a_steady_process_passes() -> None:
    assert set(verdicts(seen(hour())).values()) == {"passed"}


@pytest.mark.parametrize("slope", [2.0, 5.0, 40.0])
def test_growing_memory_is_found(slope: float) -> None:
    assert verdicts(seen(hour(slope)))[MEMORY] == "FAILED"


def test_a_little_growth_is_within_the_bar() -> None:
    assert verdicts(seen(hour(0.2)))[MEMORY] == "passed"


def test_a_short_run_does_not_pretend_to_know() -> None:
    samples = hour(noise_mb=3.0, run_s=480)
    assert verdicts(seen(samples, 480), 480)[MEMORY] == "not run"
    short = verdicts(seen(samples[:12], 60), 60)
    assert (short[MEMORY], short[WORK]) == ("not run", "not run")


@pytest.mark.parametrize(
    ("change", "what"), [({"files_per_h": 3.0}, FILES), ({"threads_per_h": 3.0}, THREADS)]
)
def test_counts_that_creep_up_are_found(change: dict[str, float], what: str) -> None:
    found = verdicts(seen(hour(**change)))
    assert found.pop(what) == "FAILED"
    assert set(found.values()) == {"passed"}


def test_a_run_that_did_not_see_all_the_while_fails() -> None:
    blind = seen(hour())
    blind.moods = [mood for mood in blind.moods if mood.t_s < 3000]
    assert verdicts(blind)[WORK] == "FAILED"
    deaf = seen(hour())
    deaf.moods = [mood._replace(heard=mood.heard and mood.t_s > 400) for mood in deaf.moods]
    assert verdicts(deaf)[WORK] == "FAILED"
    lost = seen(hour())
    lost.moods[3000] = Told(3000.0, "ok+lost", True, True)
    assert verdicts(lost)[WORK] == "FAILED"


def test_events_are_counted_and_anything_else_is_odd() -> None:
    found = seen(hour())
    face = b'"face":{"state":"ok","present":true}'
    voice = b'"voice":{"state":"lost","present":false}'
    note(found, b'{"event":"mood",%s,%s,"new":[1]}' % (face, voice), 7.0)
    assert found.moods[-1] == Told(7.0, "ok+lost", True, False)
    note(found, b'{"event":"notice","part":"camera","kind":"pace"}', 8.0)
    assert verdicts(replace(found, moods=found.moods[:-1]))[WORK] == "passed"
    note(found, b'{"event":"notice","part":"Mien","kind":"stopped"}', 8.0)
    assert verdicts(replace(found, moods=found.moods[:-1]))[WORK] == "passed"
    note(found, b'{"event":"notice","part":"camera","kind":"restart"}', 8.0)
    assert found.notices == {"camera pace": 1, "Mien stopped": 1, "camera restart": 1}
    assert verdicts(replace(found, moods=found.moods[:-1]))[WORK] == "FAILED"
    for odd in (b"", b"{", b"[1]", b'{"event":"mood"}', b"\xff"):
        note(found, odd, 9.0)
    assert len(found.odd) == 5


@given(
    slope=st.floats(-50, 50),
    level=st.floats(0, 1000),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_trend_of_a_straight_line_is_its_slope(slope: float, level: float, seed: int) -> None:
    t_s = np.cumsum(np.random.default_rng(seed).uniform(0.5, 20, 150))
    found = trend(list(t_s), list(level + slope * t_s / HOUR_S), block_s=float(t_s[-1]) / 9)
    assert found.per_h == pytest.approx(slope, rel=0.1, abs=1e-6)
    assert found.low <= found.per_h + 1e-6 and found.per_h - 1e-6 <= found.high


@settings(max_examples=30)
@given(size=st.floats(0, 5000), slope=st.floats(-20, 20), seed=st.integers(0, 2**32 - 1))
def test_what_moments_need_does_not_bend_it(size: float, slope: float, seed: int) -> None:
    t_s = np.arange(600) * EVERY_S
    values = 200 + slope * t_s / HOUR_S
    values[np.random.default_rng(seed).integers(0, 120, 60) * 5] += size
    assert trend(list(t_s), list(values)).per_h == pytest.approx(slope, abs=0.5)


def test_too_few_blocks_have_no_trend() -> None:
    with pytest.raises(ValueError, match="too few"):
        trend([0.0, 60.0, 120.0], [1.0, 1.0, 1.0])


@given(st.lists(st.integers(0, 99), min_size=3, max_size=60))
def test_what_only_falls_is_flat_and_what_gained_for_good_is_not(counts: list[int]) -> None:
    assert flatness(sorted(counts, reverse=True)).flat
    third = len(counts) // 3
    assert not flatness([*counts[:-third], *(max(counts[:third]) + 1 for _ in range(third))]).flat


def test_a_count_that_is_low_for_rare_moments_only_is_flat() -> None:
    early, late = [8] * 29 + [7], [8] * 30
    assert flatness(early + late + late).flat
    assert not flatness(early + late + [9] * 30).flat


@given(st.lists(st.floats(0, 100), min_size=1, max_size=80))
def test_levels_lie_within_what_they_are_of(values: list[float]) -> None:
    middles, levels = held([float(n) for n in range(len(values))], values, 7.0)
    assert len(middles) == len(levels) >= 1
    assert min(values) <= levels.min() and levels.max() <= max(values)
    assert np.all(np.diff(middles) > 0)


def test_proc_is_read() -> None:
    status = read_status(STATUS)
    assert sample(7.0, status, 12, 3.0) == Sample(7.0, 200.0, 101.0, 27, 12, 3.0)
    assert read_cpu_ticks("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 110 22 0 0") == 132


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_settings_of_every_output_are_right(tmp_path: Path, name: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(OUTPUTS[name].toml(tmp_path))
    assert load_settings(config, environment={}).settings != load_settings(environment={}).settings
    assert OUTPUTS[name].toml(tmp_path) != APPLIANCE.toml(tmp_path)


def test_each_output_is_soaked_for_an_hour_of_which_a_quarter_warms_up(tmp_path: Path) -> None:
    assert soak_of(tmp_path, ["--each-output"]).title == (
        "soak: each output for 60 minutes, the clip at 1x"
    )
    late = [replace(one, anonymous_mb=60.0) if one.t_s < 900 else one for one in hour()]
    assert set(verdicts(seen(late)).values()) == {"passed"}


def test_a_file_is_followed_through_its_being_put_aside(tmp_path: Path) -> None:
    written, read = FileLines(tmp_path / "events", "hello", 100, 1), []
    reader = FileReader(tmp_path / "events")
    for number in range(60):
        written.write(f"line {number}")
        if number % 4 == 0:
            read += reader.lines(0.0)
    read += reader.lines(0.0)
    assert [line for line in read if line != b"hello"] == [b"line %d" % n for n in range(60)]
    assert reader.visits == read.count(b"hello") > 5
    reader.close()


def test_at_the_socket_one_reads_and_comes_anew_and_one_is_silent(tmp_path: Path) -> None:
    served = SocketLines(tmp_path / "events", "hello")
    reader = SocketReader(tmp_path / "events", 0.0)
    served.write("one")
    assert (served.clients, reader.lines(1.0)) == (2, [b"hello", b"one"])
    assert reader.lines(31.0) == []
    served.write("two")
    assert (reader.lines(31.0), reader.visits) == ([b"hello", b"two"], 2)
    reader.close()
    served.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux'")
def test_this_very_process_is_sampled_and_one_that_is_gone_is_told() -> None:
    before = take(os.getpid(), 1.0)
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    fresh = mmap.mmap(-1, 2**25)  # memory that this process cannot have had before
    fresh.write(b"1" * 2**25)
    after = take(os.getpid(), 2.0)
    fresh.close()
    for number in kept:
        os.close(number)
    assert after.files == before.files + 5
    assert after.resident_mb - before.resident_mb > 30
    assert after.threads >= 1 and after.cpu_s >= before.cpu_s
    with pytest.raises(RigError):
        take(2**22 + 1, 0.0)
