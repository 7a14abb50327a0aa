"""How the last upgrade of the service ended."""

from collections.abc import Iterator
from pathlib import Path

from edge.config.paths import REPO_ROOT
from edge.diagnostics.checks import Check
from edge.upgrade.record import load, outcome


def check_upgrade(release: Path = REPO_ROOT) -> Iterator[Check]:
    """Whether the last one stayed; nothing where Mien is no installed release, or never upgraded."""
    if release.parent.name != "releases":
        return
    opt = release.parents[1]
    pending, ended = load(opt), outcome(opt)
    if pending is not None:
        says = f"{pending.new} is on probation, {pending.old} is kept until it has passed"
        yield Check("upgrade", "ok", says)
    elif ended is not None and not ended.passed:
        fix = "journalctl -u mien-probation says more; mend that and install it again"
        yield Check("upgrade", "warning", ended.sentence.rstrip("."), fix)
    elif ended is not None:
        yield Check("upgrade", "ok", ended.sentence.rstrip("."))
