"""Small faults put into a module, one at a time, by the operators of cosmic-ray."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, takewhile
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

_ORDERS = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow")
# Left out is what no float survives (shifts, bits): it would flatter the score. So would what
# stands in annotations.
OPERATORS = (
    "NumberReplacer",
    "AddNot",
    "ExceptionReplacer",
    "RemoveDecorator",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not",
    "ZeroIterationForLoop",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    *(f"ReplaceComparisonOperator_{one}_{other}" for one, other in permutations(_ORDERS, 2)),
    *(f"ReplaceBinaryOperator_{one}_{other}" for one, other in permutations(_ARITHMETIC, 2)),
)


@dataclass(frozen=True)
class Mutant:
    """One module with one fault in it."""

    file: str
    line: int
    change: str
    """What the line was and what it is, "was => is": the name by which a survivor is listed."""
    source: str


def mutants_of(file: Path) -> Iterator[Mutant]:
    """All mutants of *file*, operator by operator."""
    source = file.read_text()
    spans, nodes = list(_annotations(source)), list(ast_nodes(get_ast(source)))
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, place in enumerate(places):
            if any(start <= place < end for start, end in spans):
                continue
            mutated = mutate_code(source, operator, occurrence)
            if mutated is not None and mutated != source:
                yield _named(file, source, mutated)


def _named(file: Path, source: str, mutated: str) -> Mutant:
    was, now = source.splitlines(), mutated.splitlines()
    first = _alike(was, now)
    last = min(_alike(was[::-1], now[::-1]), len(was) - first, len(now) - first)
    change = " ".join([*was[first : len(was) - last], "=>", *now[first : len(now) - last]])
    return Mutant(file.as_posix(), first + 1, re.sub(r"\s+", " ", change).strip(), mutated)


def _alike(one: list[str], other: list[str]) -> int:
    """How many lines are the same from the start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _annotations(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.expr):
                end = (part.end_lineno or 0, part.end_col_offset or 0)
                yield (part.lineno, part.col_offset), end
