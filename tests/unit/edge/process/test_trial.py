"""What a library may do to a process is done to another one."""

import pytest

from edge.process.trial import Trial, try_in_child


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import time; time.sleep(60)", "no end within 1 s"),
        ("raise OSError", ""),
        ("import sys; assert sys.argv[1:] == ['one']; sys.exit()", ""),
    ],
)
def test_the_ending_is_told(code: str, trouble: str) -> None:
    assert try_in_child(code, "one", limit_s=1.0 if "sleep" in code else 10.0).trouble == trouble


def test_what_it_says_is_kept_and_goes_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os; os.write(2, b'Assertion failed.'); os.abort()"
    assert try_in_child(code) == Trial("SIGABRT", "Assertion failed.")
    assert capfd.readouterr().err == ""
