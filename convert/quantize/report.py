"""What `python -m convert quantize` found, as tables and as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convert.quantize.compare import LayerCheck, OutputCheck
from convert.quantize.samples import Skipped
from edge.perception.interpreter import TensorSpec
from edge.process.printable import printable

WORST_LAYERS: Final = 8
_MOVES: Final = frozenset(
    {"TRANSPOSE", "PAD", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "SLICE", "STRIDED_SLICE", "SPLIT"}
)
"""Operations that only move values: they cannot be to blame for noise."""
_NAME_WIDTH: Final = 24
"""Of the last column, so that the table fits a terminal of 80."""
_NAMED_FILES: Final = 5
_FEW_SAMPLES: Final = 50
_BROKEN_DB: Final = 10.0
"""Less than this is a layer that is broken, not rounded."""


@dataclass(frozen=True)
class Report:
    """The int8 model against the float one."""

    model: str
    kind: str
    """What was brought: LiteRT, PyTorch, Keras or SavedModel."""
    out: str
    float_bytes: int
    """Of the float .tflite."""
    int8_bytes: int
    macs: int
    uncounted: tuple[str, ...]
    """Operations whose work `macs` leaves out."""
    left_in_float: tuple[str, ...]
    """Operations that could not be made int8."""
    input: TensorSpec
    samples: int
    """How many set the ranges; the same ones are compared."""
    skipped: tuple[Skipped, ...]
    outside: float
    """Share of input values beyond the input range."""
    outputs: tuple[OutputCheck, ...]
    layers: tuple[LayerCheck, ...]
    """All that were compared, in the order of the graph."""

    @property
    def agreement(self) -> float | None:
        """The least agreement of any output that names classes."""
        shares = [check.agreement for check in self.outputs if check.agreement is not None]
        return min(shares, default=None)

    @property
    def worst_layers(self) -> list[LayerCheck]:
        """The noisiest first, those that only move values left out."""
        working = [layer for layer in self.layers if layer.operation not in _MOVES]
        return sorted(working, key=lambda layer: layer.sqnr_db)[:WORST_LAYERS]

    def notes(self) -> list[str]:
        """What a reader of the figures should know, in sentences."""
        notes = []
        if self.skipped:
            named = "; ".join(f"{s.file}: {s.reason}" for s in self.skipped[:_NAMED_FILES])
            more = len(self.skipped) - _NAMED_FILES
            notes.append(
                f"Files of no use: {len(self.skipped)} ({named}"
                + (f"; and {more} more)." if more > 0 else ").")
            )
        if self.samples < _FEW_SAMPLES:
            notes.append(
                f"Only {self.samples} samples set the ranges; 100 to 500 of all kinds are better."
            )
        if self.outside > 0:
            notes.append(
                f"{self.outside:.1%} of the input values lay outside the input range and were cut "
                "off; check --input-range."
            )
        for check in self.outputs:
            if check.classes_seen == 1:
                notes.append(
                    f"The float model names the same class for every sample ({output_name(check)}), "
                    "so that agreement says little; check --input-range and the samples."
                )
        broken = max(
            (layer for layer in self.worst_layers if layer.sqnr_db < _BROKEN_DB),
            key=lambda layer: layer.lost_db,
            default=None,
        )
        if broken is not None:
            notes.append(
                f"Much of what layer {broken.number} ({broken.operation}) gives is noise. The "
                "cause may be channels whose weights are near 0 beside their bias, as batch norm "
                "with a gain near 0 leaves them: prune these before the export."
            )
        if self.left_in_float:
            kinds = ", ".join(self.left_in_float)
            notes.append(f"Left in floats, as there is no int8 version of them: {kinds}.")
        if self.uncounted:
            notes.append(f"Not counted as work: {', '.join(self.uncounted)}.")
        return notes

    def to_json(self) -> str:
        """Everything, as indented JSON with a line end."""
        content = asdict(self)
        content["input"] = {
            "name": self.input.name,
            "shape": self.input.shape,
            "dtype": self.input.dtype.name,
            "scale": self.input.scale,
            "zero_point": self.input.zero_point,
        }
        content["agreement"] = self.agreement
        content["worst_layers"] = [asdict(layer) for layer in self.worst_layers]
        content["notes"] = self.notes()
        return json.dumps(content, indent=2) + "\n"

    def print(self, console: Console) -> None:
        """The tables that a person reads."""
        console.print(self._summary())
        console.print(self._outputs())
        if self.worst_layers:
            console.print(self._layers())
        for note in self.notes():
            console.print(f"[yellow]note:[/] {_plain(note)}", highlight=False)

    def _summary(self) -> Table:
        table = Table(
            title=f"{_plain(Path(self.model).name)} -> {_plain(Path(self.out).name)}",
            show_header=False,
        )
        table.add_column(style="bold")
        table.add_column()
        table.add_row("made from", f"{self.kind} model {_plain(self.model)}")
        table.add_row("written to", _plain(self.out))
        saved = self.float_bytes / max(self.int8_bytes, 1)
        table.add_row(
            "size",
            f"{self.float_bytes / 1000:,.1f} kB float -> {self.int8_bytes / 1000:,.1f} kB int8 "
            f"({saved:.1f} times smaller)",
        )
        table.add_row("work", f"{self.macs / 1e6:,.2f} M multiply-accumulates an inference")
        given = self.input
        table.add_row(
            "input",
            f"{given.dtype.name} {list(given.shape)}, real value = {given.scale:.7g} * "
            f"(integer {-given.zero_point:+d})",
        )
        table.add_row("samples", f"{self.samples:,} set the ranges and were compared")
        return table

    def _outputs(self) -> Table:
        table = Table(title="int8 against float: classes, and errors in steps of the output")
        table.add_column("output", overflow="fold")
        table.add_column("shape", no_wrap=True)
        for heading in ("same top", "drop at most", "one step", "mean", "max"):
            table.add_column(heading, justify="right", no_wrap=True)
        for check in self.outputs:
            share, drop = "-", "-"
            if check.agreement is not None:
                share, drop = f"{check.agreement:.1%}", f"{1 - check.agreement:.1%}"
            table.add_row(
                _plain(output_name(check)),
                "x".join(map(str, check.shape)),
                share,
                drop,
                f"{check.scale:.4g}" if check.scale else "float",
                f"{check.mean_error:.2f}" if check.scale else f"{check.mean_error:.3g}",
                f"{check.max_error:.2f}" if check.scale else f"{check.max_error:.3g}",
            )
        return table

    def _layers(self) -> Table:
        table = Table(title="Noisiest layers (signal to quantization noise)")
        table.add_column("#", justify="right", no_wrap=True)
        table.add_column("operation", no_wrap=True)
        table.add_column("gives", no_wrap=True)
        table.add_column("SQNR", justify="right", no_wrap=True)
        table.add_column("lost here", justify="right", no_wrap=True)
        table.add_column("name", overflow="fold")
        for layer in self.worst_layers:
            table.add_row(
                str(layer.number),
                layer.operation,
                "x".join(map(str, layer.shape)),
                f"{layer.sqnr_db:.1f} dB",
                f"{layer.lost_db:.1f} dB",
                _plain(_fitting(short_name(layer.name))),
            )
        return table


def output_name(check: OutputCheck) -> str:
    """The name that a person gave, without what the exporter put around it."""
    return check.name.removeprefix("serving_default_").removesuffix("_output")


def short_name(name: str) -> str:
    """The last part of a tensor's path, which is what tells layers apart.

    Exporters join the names of all modules around a tensor: "net.Net/torch.nn.Conv2d_stem;1".
    """
    whole = name.split(";")[0]
    parts = [part for part in whole.split("/") if part]
    return "/".join(part.rsplit(".", 1)[-1] for part in parts[-2:]) or name


def _plain(text: str) -> str:
    """*text* for a table: names of files and tensors are neither markup nor commands."""
    return escape(printable(text))


def _fitting(name: str) -> str:
    """*name*, or its last part if the whole is too long for the table."""
    return name if len(name) <= _NAME_WIDTH else name.rsplit("/", 1)[-1]
