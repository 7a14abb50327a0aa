"""What the rig has proven, as a table for people."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Outcome = Literal["proven", "FAILED", "not run"]

WIDTH: Final = 100
_WHAT: Final = 34
_HEAD: Final = ("", "s", "what", "seen")


@dataclass(frozen=True)
class Proof:
    """One line of the table."""

    what: str
    outcome: Outcome
    seen: str
    """What was measured; what went wrong; or why it was not tried."""
    took_s: float | None = None


def table(title: str, proofs: Sequence[Proof]) -> str:
    """The proofs under their title, wrapped to `WIDTH` columns."""
    seen_width = WIDTH - 8 - 6 - _WHAT - 6
    lines = [title, "=" * len(title), *_row(_HEAD, seen_width)]
    lines.append("-" * WIDTH)
    for proof in proofs:
        took = "" if proof.took_s is None else f"{proof.took_s:.1f}"
        lines += _row((proof.outcome, took, proof.what, proof.seen), seen_width)
    counts = [
        f"{sum(proof.outcome == outcome for proof in proofs)} {outcome}"
        for outcome in ("proven", "FAILED", "not run")
    ]
    return "\n".join([*lines, "-" * WIDTH, ", ".join(counts)])


def _row(cells: tuple[str, str, str, str], seen_width: int) -> list[str]:
    outcome, took, what, seen = cells
    whats = textwrap.wrap(what, _WHAT) or [""]
    seens = textwrap.wrap(seen, seen_width) or [""]
    height = max(len(whats), len(seens))
    whats += [""] * (height - len(whats))
    seens += [""] * (height - len(seens))
    heads = [(outcome, took)] + [("", "")] * (height - 1)
    return [
        f"{head:<8}{time:>6}  {left:<{_WHAT}}  {right}".rstrip()
        for (head, time), left, right in zip(heads, whats, seens, strict=True)
    ]


def exit_code(proofs: Iterable[Proof]) -> int:
    """1 if something that ran failed; what could not run is no failure."""
    return int(any(proof.outcome == "FAILED" for proof in proofs))
