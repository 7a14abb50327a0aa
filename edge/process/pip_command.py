"""The command that installs a package for the Python that runs Mien, wherever that lies."""

import os
import shlex
import sys


def pip() -> str:
    """How pip is called: with the environment's own Python, and as root where that is root's."""
    mine = os.access(sys.prefix, os.W_OK)
    return f"{'' if mine else 'sudo '}{shlex.quote(sys.executable)} -m pip"


def pip_install(*packages: str) -> str:
    """The line to type to install *packages*, such as "av" or "mediapipe>=1.2"."""
    return " ".join([pip(), "install", *map(shlex.quote, packages)])
