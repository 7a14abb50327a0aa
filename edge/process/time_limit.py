"""Calls that may hang, with a limit: drivers have been seen to block for ever on a lost device."""

import threading
from collections.abc import Callable


def within(limit_s: float, action: Callable[[], None], name: str) -> bool:
    """Run *action* in a thread of its own and wait for it, at most *limit_s*.

    Errors of the action are dropped: this is for letting go of a device, which may be gone.

    Returns:
        Whether it finished. If not it goes on in the background; it does not keep the process alive.
    """

    def run() -> None:
        try:
            action()
        except Exception:  # whatever a driver may raise: nobody is left to whom it matters
            return

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(limit_s)
    return not thread.is_alive()
