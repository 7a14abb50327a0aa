"""Why pip failed, in one sentence.

`python -m edge.fetch` asks it, and so does setup.sh, by running this file by itself with whatever
Python it has found: it needs the standard library alone.
"""

import re
import sys
import time
from typing import Final

_OFFLINE: Final = (
    "NewConnectionError",
    "Failed to establish",
    "resolve",
    "name resolution",
    "unreachable",
    "Read timed out",
    "ProxyError",
)
_NOT_COMPILED: Final = ("error: command", "Failed building wheel", "Failed to build")


def explain(complaint: str, what: str, room_mb: int) -> str:
    """The likeliest reason and what to do about it, "" where none is known.

    Args:
        complaint: what pip printed.
        what: was to be downloaded or installed, as the sentence's subject.
        room_mb: space that this needs on the disk.
    """
    if "No module named pip" in complaint:
        return (
            f"{sys.executable} has no pip; add it with: {sys.executable} -m ensurepip, or "
            "apt install python3-pip."
        )
    if "No space left" in complaint:
        return f"There is no room on the disk for {what}; free {room_mb} MB and run it again."
    if "CERTIFICATE_VERIFY_FAILED" in complaint:
        # A Raspberry Pi has no clock of its own: until it has reached a time server it is in the past.
        return (
            f"{what} cannot be downloaded because the certificate of the package index is not "
            f"trusted; set the clock (now: {time.strftime('%Y-%m-%d %H:%M')}), or name your own "
            "authority with PIP_CERT, and run it again."
        )
    if "DO NOT MATCH THE HASHES" in complaint:
        return (
            f"{what} cannot be installed because a file is not the one that the lock names; run it "
            "again, and if that does not help look at the package index that pip is configured for."
        )
    if any(word in complaint for word in _OFFLINE):
        return (
            f"{what} cannot be downloaded because the package index is out of reach; connect to a "
            "network and run it again."
        )
    if missing := re.search(r"No matching distribution found for (\S+)", complaint):
        return (
            f"{what} cannot be installed because {missing[1]} is nowhere to be found; make the bundle "
            "again, or look at the package index that pip is configured for."
        )
    if any(word in complaint for word in _NOT_COMPILED):
        return f"{what} cannot be compiled; the lines above name what is missing."
    return ""


if __name__ == "__main__":
    print(explain(sys.stdin.read(), sys.argv[1], int(sys.argv[2])))
