"""What a program of the system prints."""

import subprocess

_LIMIT_S = 10.0


def output_of(*command: str, limit_s: float = _LIMIT_S) -> str:
    """What *command* prints on its standard output; "" where it cannot be run or fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
