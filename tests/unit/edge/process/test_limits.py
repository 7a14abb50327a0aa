"""A process that may have too little: one sentence about that, and no package to install."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from edge.config.paths import REPO_ROOT
from edge.errors import ModelError, SensorError
from edge.process.limits import scarcity

MEGA = 1_000_000
LOW = [
    *((resource.RLIMIT_AS, size_mb * MEGA) for size_mb in (200, 800, 1500)),
    (resource.RLIMIT_NOFILE, 8),
]


def mien(limit: int, to: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        cwd=REPO_ROOT,
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        preexec_fn=lambda: resource.setrlimit(limit, (to, to)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("limit", "to"), LOW)
def test_a_low_limit_is_told_before_anything_is_loaded(limit: int, to: int) -> None:
    done = mien(limit, to, "run", "--clip", "absent.mp4")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("mien: This process may have ")
    assert done.stderr.count("\n") == 1
    assert "raise that limit (ulimit" in done.stderr


@pytest.mark.parametrize(("limit", "to"), LOW[::3])
def test_doctor_names_the_limit_and_takes_no_package_for_missing(limit: int, to: int) -> None:
    done = mien(limit, to, "doctor")
    assert done.returncode == 1
    assert "PROBLEM limits" in done.stdout
    assert "install" not in done.stdout
    assert "setup.sh" not in done.stdout


def test_a_soft_limit_is_raised_as_far_as_it_may_be() -> None:
    code = (
        "import resource\nfrom edge.process.limits import check_limits\n"
        "check_limits()\nprint(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPO_ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 200)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "(96, 200)\n"


def raised(error: Exception, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


MAP = ImportError("libavcodec.so: failed to map segment from shared object")


@pytest.mark.parametrize(
    ("make", "scarce"),
    [
        (lambda: MemoryError(), True),
        (lambda: OSError(errno.EMFILE, os.strerror(errno.EMFILE)), True),
        (lambda: RuntimeError("can't start new thread"), True),
        (lambda: raised(SensorError("Playing a clip needs PyAV: install it."), MAP), True),
        (lambda: raised(ModelError("Install mediapipe."), ImportError("No module named x")), False),
        (lambda: OSError(errno.ENOENT, os.strerror(errno.ENOENT)), False),
    ],
)
def test_scarcity_is_told_from_what_is_missing(make: Callable[[], Exception], scarce: bool) -> None:
    assert bool(scarcity(make())) is scarce
