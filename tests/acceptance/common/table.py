"""What came of the rig's proofs, as a table for people."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.acceptance.common.programs import CannotRunError

Outcome = Literal["passed", "FAILED", "not run"]

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


def complete(
    planned: Sequence[str],
    why: str,
    begin: Callable[[], Iterator[Proof]],
    first: str = "",
    system: str = "guest",
) -> Iterator[Proof]:
    """Proofs as they are made; then each planned one that was not, with the reason.

    Args:
        planned: what is tried, in order.
        why: why nothing can be tried; "" if it can.
        begin: makes the proofs; may raise CannotRunError.
        first: the proof without which the others are not tried.
        system: what they are made in. If it ends before the last without a word, that has failed.
    """
    made: dict[str, Outcome] = {}
    try:
        for proof in () if why else begin():
            made[proof.what] = proof.outcome
            yield proof
            if first == proof.what and proof.outcome == "FAILED":
                why = "it is not installed"
                break
    except CannotRunError as error:
        why = str(error)
    lacking = [what for what in planned if what not in made]
    if lacking and not why:
        why = f"the {system} ended before"
        if "FAILED" not in made.values():
            yield Proof(f"The {system} itself", "FAILED", "it ended before the last proof")
    for what in lacking:
        yield Proof(what, "not run", why)


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
        for outcome in ("passed", "FAILED", "not run")
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
