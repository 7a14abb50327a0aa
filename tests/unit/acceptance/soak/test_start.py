"""What the start's benchmark makes of its measurements."""

import subprocess
import sys

import pytest

from tests.acceptance.soak.start import Run, cpu_s, verdict


@pytest.mark.parametrize(
    ("walls", "cpu", "load", "expected"),
    [
        ((1.0, 2.0, 9.0), 1.0, 5.0, "passed"),
        ((1.0, 5.0, 9.0), 1.0, 0.5, "FAILED"),
        ((1.0, 5.0, 9.0), 3.0, 5.0, "FAILED"),
        ((1.0, 5.0, 9.0), 1.0, 5.0, "not run"),
    ],
)
def test_the_median_decides_unless_the_machine_had_no_time(
    walls: tuple[float, ...], cpu: float, load: float, expected: str
) -> None:
    assert verdict([Run(wall, cpu) for wall in walls], 4.0, load) == expected


def test_processor_time_is_that_of_the_process_and_none_of_one_that_is_gone() -> None:
    script = (
        "import time\nwhile time.process_time() < 0.1: pass\nprint('ready', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0.05 <= cpu_s(process.pid) < 2
    assert cpu_s(process.pid) == 0.0
