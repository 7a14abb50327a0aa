"""Switches a release in, watches it through its probation, and keeps it or goes back.

Each step is written down before it is done, so that being ended at any point leaves no doubt. After a
power cut in the middle the old release is in force again; after an orderly shutdown the probation
begins anew.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge.upgrade.observation import Observation
from edge.upgrade.probation import Limits, Verdict, judge, recorded
from edge.upgrade.record import PENDING, Outcome, Upgrade, load, save
from edge.upgrade.releases import Releases, is_full
from edge.upgrade.system import System

LOOK_S: Final = 1.0
POWER_CUT: Final = "the machine stopped before its probation was over (a power cut or a crash)"
_WORDS: Final = 200


class Guard:
    """Of one installation."""

    def __init__(self, releases: Releases, system: System, say: Callable[[str], None]) -> None:
        self._releases, self._system, self._say = releases, system, say
        self._opt = releases.opt

    def switch(self, name: str) -> bool:
        """Put *name* in force where there is nothing to go back to; whether the service runs then.

        Raises:
            OSError: a file cannot be written.
        """
        current = self._releases.named("current")
        self._releases.switch(name, current if current != name else "")
        if current and current != name:
            self._releases.point("previous", current)
        self._releases.remove_others(name, self._releases.named("previous"))
        self._system.take_up()
        return not self._system.runs or self._system.restart(wait=True)

    def begin(self, name: str, watch_s: float) -> bool:
        """Write down what the release in force does, and have the guard put *name* in its place.

        Raises:
            OSError: it cannot be written down.
        """
        old, boot = self._releases.named("current"), self._system.boot_id()
        before = recorded(self._system.look())
        save(self._opt, Upgrade(old, name, boot, watch_s, before))
        (self._opt / "last-upgrade.json").unlink(missing_ok=True)
        if self._system.start_guard():
            return True
        self._forget()
        return False

    def rollback(self) -> str:
        """Put the previous release in force by hand; its name.

        Raises:
            LookupError: there is none.
            OSError: a file cannot be written.
        """
        pending = load(self._opt)
        if pending is not None:
            self._system.stop_guard()
        current = self._releases.named("current")
        previous = pending.old if pending is not None else self._releases.named("previous")
        if not previous or previous == current:
            raise LookupError("There is no other release to go back to.")
        self._releases.switch(previous, current)
        self._releases.point("previous", current)
        self._forget()
        self._system.take_up()
        if self._system.runs:
            self._system.restart(wait=True)
        save(self._opt, Outcome(True, f"Mien {previous} was put back by hand."))
        return previous

    def run(self) -> None:
        """Bring the upgrade that is under way to its end; return at once if there is none."""
        pending = load(self._opt)
        if pending is None:
            self._forget()
            return
        boot = self._system.boot_id()
        if pending.boot != boot:
            if pending.phase == "watching" and pending.paused:
                pending = self._note(
                    replace(pending, boot=boot, began_s=self._system.now_s(), paused=False)
                )
            else:
                pending = self._give_up(replace(pending, boot=boot), pending.why or POWER_CUT)
        if pending.phase in ("asked", "switching"):
            pending = self._switch_in(pending)
        if pending.phase == "watching":
            verdict = self._watch(pending)
            if verdict.state == "passed":
                self._keep(pending)
                return
            pending = self._give_up(pending, self._with_last_words(verdict.why))
        self._go_back(pending)

    def pause(self) -> None:
        """Note that the system is shut down in good order."""
        pending = load(self._opt)
        if pending is not None and pending.phase == "watching":
            self._note(replace(pending, paused=True))

    def _switch_in(self, pending: Upgrade) -> Upgrade:
        pending = self._note(replace(pending, phase="switching"))
        try:
            self._releases.switch(pending.new, pending.old)
        except OSError as error:
            full = "there is no room on the disk" if is_full(error) else str(error)
            return self._give_up(pending, f"its files cannot be put in place: {full}")
        self._system.take_up()
        self._system.restart()
        self._say(f"Mien {pending.new} is on probation; {pending.old} stays until it has passed.")
        return self._note(replace(pending, phase="watching", began_s=self._system.now_s()))

    def _watch(self, pending: Upgrade) -> Verdict:
        limits = Limits(pending.watch_s)
        # The first look may still meet the old process.
        seen = [Observation(pending.began_s, "activating")]
        while True:
            verdict = judge(pending.before, seen, limits)
            if verdict.state != "waiting":
                return verdict
            self._system.wait(LOOK_S)
            seen.append(self._system.look())

    def _keep(self, pending: Upgrade) -> None:
        self._releases.point("previous", pending.old)
        self._conclude(True, f"Mien {pending.new} has passed its probation.")
        self._releases.remove_others(pending.new, pending.old)

    def _give_up(self, pending: Upgrade, why: str) -> Upgrade:
        return self._note(replace(pending, phase="back", why=why))

    def _go_back(self, pending: Upgrade) -> None:
        try:
            self._releases.switch(pending.old, pending.new)
        except OSError as error:
            if not is_full(error):
                raise
            self._releases.free(pending.new)
            self._releases.switch(pending.old, pending.new)
        self._releases.remove(pending.new)
        self._system.take_up()
        self._system.restart()
        self._conclude(
            False,
            f"Mien {pending.new} did not pass its probation: {pending.why}; {pending.old} is back.",
        )

    def _with_last_words(self, why: str) -> str:
        # A signal comes without a word: what was said last is about something else.
        words = self._system.last_words() if "exit code" in why else ""
        return f'{why} (it said: "{words[:_WORDS]}")' if words else why

    def _conclude(self, passed: bool, sentence: str) -> None:
        save(self._opt, Outcome(passed, sentence))
        self._forget()
        self._say(sentence)

    def _note(self, pending: Upgrade) -> Upgrade:
        # On a full disk the phase of before is as good: it leads back as well.
        with contextlib.suppress(OSError):
            save(self._opt, pending)
        return pending

    def _forget(self) -> None:
        (self._opt / PENDING).unlink(missing_ok=True)
