"""Tries in a process of its own what a native library may do to the one that it is loaded into."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

LIMIT_S: Final = 10.0


@dataclass(frozen=True)
class Trial:
    """How it went."""

    trouble: str
    """What became of the process, such as "SIGABRT"; empty when it ended well."""
    said: str
    """What the library wrote to the standard error."""


def try_in_child(code: str, *arguments: str, limit_s: float = LIMIT_S) -> Trial:
    """Run *code* in a bare Python, without its packages, which makes it quick.

    Args:
        code: Python; finds the arguments in `sys.argv[1:]`.
        *arguments: for it, such as the folder of the package to load.
        limit_s: after so long it counts as hanging.
    """
    command = [sys.executable, "-I", "-S", "-c", code, *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Trial(f"no end within {limit_s:g} s", "")
    except OSError:  # no process can be started: then this one has to try by itself
        return Trial("", "")
    if done.returncode >= 0:
        # An exception, which the caller sees as well and can name.
        return Trial("", done.stderr)
    try:
        name = signal.Signals(-done.returncode).name
    except ValueError:
        name = f"signal {-done.returncode}"
    return Trial(name, done.stderr)
