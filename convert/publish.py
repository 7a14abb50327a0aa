"""Puts a finished model into the models folder: file, manifest entry, card."""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from convert.atomic_files import write_text, written_whole
from convert.metrics import Scores, confusion_table
from edge.config.paths import MODELS
from edge.emotions import EMOTIONS
from edge.perception.interpreter import Model, TensorSpec
from edge.perception.manifest import (
    MANIFEST,
    DataSource,
    Entry,
    Geometry,
    Metric,
    Tensor,
    load_manifest,
)


def make_entry(
    file: Path,
    *,
    temperature: float,
    class_prior: Sequence[float],
    macs: int,
    metrics: Sequence[Metric],
    data: Sequence[DataSource],
    recipe: str,
    geometry: Geometry | None = None,
    front_end: dict[str, Any] | None = None,
) -> Entry:
    """Describe the int8 model in *file* for the manifest."""
    model = Model(file)
    return Entry(
        file=file.name,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        labels=EMOTIONS,
        input=describe_tensor(model.input),
        output=describe_tensor(model.output((1, len(EMOTIONS)))),
        temperature=round(temperature, 4),
        class_prior=tuple(round(float(share), 4) for share in class_prior),
        macs=macs,
        metrics=tuple(metrics),
        data=tuple(data),
        recipe=recipe,
        geometry=geometry,
        front_end=front_end,
    )


Role = Literal["face", "voice"]


def manifest_of(out: Path) -> dict[str, Any]:
    """The manifest in *out*; where there is none, the one of the models that come with Mien.

    Raises:
        ModelError: it is damaged.
    """
    folder = out if (out / MANIFEST).is_file() else MODELS
    return load_manifest(folder).model_dump(mode="json", exclude_none=True)


def publish(role: Role, file: Path, recipe: Path, entry: Entry, card: str, out: Path) -> None:
    """Put a finished model and its *recipe* into *out*, with its entry in the manifest and its card.

    Mien needs both nets: into a folder without a manifest comes the other one that Mien has.

    Raises:
        ModelError: the manifest in *out* is damaged.
    """
    out.mkdir(parents=True, exist_ok=True)
    content = manifest_of(out)
    _copy(file, out / entry.file)
    _copy(recipe, out / entry.recipe)
    if not (out / MANIFEST).is_file():
        other = content["voice" if role == "face" else "face"]
        for name in (other["file"], other["recipe"]):
            _copy(MODELS / name, out / name)
    content[role] = entry.model_dump(mode="json", exclude_none=True)
    text = json.dumps(content, indent=2)
    # Short rows of numbers stand on one line each, or the class maps' weights fill thousands.
    text = re.sub(r"\[[-\d\s.,e]+\]", lambda row: " ".join(row[0].split()), text)
    write_text(card, out / f"{role.upper()}_CARD.md")
    # Last, because it is what makes the device take the new model.
    write_text(text + "\n", out / MANIFEST)


def _copy(file: Path, to: Path) -> None:
    if file.resolve() != to.resolve():
        with written_whole(to) as partial:
            shutil.copyfile(file, partial)


def make_metric(
    name: str,
    value: float,
    split: str,
    rows: int,
    label_set: str,
    precision: Literal["int8", "float"] = "int8",
) -> Metric:
    """One figure of a model, rounded to what its rows can tell apart."""
    return Metric(
        name=name,
        value=round(value, 5),
        split=split,
        rows=rows,
        label_set=label_set,
        precision=precision,
    )


def metrics_table(metrics: Sequence[Metric]) -> str:
    """All metrics of a model as a Markdown table."""
    lines = ["| figure | value | rows | label set | model |", "|---|---|---|---|---|"]
    for metric in metrics:
        value = f"{metric.value:.1%}" if metric.value <= 1 else f"{metric.value:g}"
        lines.append(
            f"| {metric.name}, {metric.split} | {value} | {metric.rows:,} | {metric.label_set} | "
            f"{metric.precision} |"
        )
    return "\n".join(lines)


def recall_section(title: str, scores: Scores) -> str:
    """Confusion matrix and per-class recall of the seven emotions."""
    return (
        f"### {title}\n\n{confusion_table(scores, EMOTIONS)}\n\n"
        f"Accuracy {scores.accuracy:.1%}, balanced accuracy {scores.balanced_accuracy:.1%}, "
        f"macro F1 {scores.macro_f1:.1%}.\n"
    )


def size_line(file: Path, parameters: int, macs: int) -> str:
    """Size and work of the model in a sentence."""
    return (
        f"{file.stat().st_size / 1000:.0f} kB, {parameters / 1e6:.2f} M parameters,\n"
        f"{macs / 1e6:.1f} M multiply-accumulates an inference"
    )


def describe_tensor(spec: TensorSpec) -> Tensor:
    """The spec of an input or output as the manifest has it."""
    return Tensor(
        name=spec.name,
        shape=spec.shape,
        dtype=spec.dtype.name,  # type: ignore[arg-type]
        scale=spec.scale,
        zero_point=spec.zero_point,
    )
