"""What the models folder claims to hold, and the check that it does."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.perception.interpreter import Model, TensorSpec

MANIFEST = "manifest.json"
REMEDY = "restore models_tflite from the release, or run the conversion again"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tensor(_Part):
    """Shape and quantization of an input or an output."""

    name: str = ""
    shape: tuple[int, ...]
    dtype: Literal["int8", "uint8", "float32"]
    scale: float
    zero_point: int


class Geometry(_Part):
    """Where the features of a face lie in a training crop, in pixels of the crop."""

    width_px: int
    height_px: int
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    mouth: tuple[float, float]


class Metric(_Part):
    """One measured figure with all that is needed to read it."""

    name: str
    value: float
    split: str
    rows: int
    label_set: str
    precision: Literal["int8", "float"]


class DataSource(_Part):
    """A data set that the weights were trained on."""

    name: str
    licence: str


class SecondHead(_Part):
    """A further output of a face model: logits of the eight emotions of FER+."""

    output: Tensor
    labels: tuple[str, ...]
    share: Annotated[float, Field(ge=0, le=1)]
    """Its weight in what is shown; the first head has the rest."""


class ClassMaps(_Part):
    """What is needed to draw where in the crop a face model saw an emotion."""

    output: Tensor
    """The last feature map [1, h, w, channels]."""
    weights: Annotated[
        tuple[tuple[float, ...], ...],
        Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS)),
    ]
    """[7, channels], see `edge.perception.face_heads.class_map`."""


class Heard(_Part):
    """A further output of a voice model: the logit that there is a voice at all."""

    output: Tensor
    threshold: Annotated[float, Field(ge=0, le=1)]
    """Least probability; a window below it holds no voice and says nothing about emotion."""


class Entry(_Part):
    """One model."""

    file: str
    sha256: str
    labels: tuple[str, ...]
    input: Tensor
    output: Tensor
    temperature: Annotated[float, Field(gt=0)]
    """Logits are divided by it before softmax (temperature scaling)."""
    class_prior: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...],
        Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS)),
    ]
    """How often each class was learned from, sums to 1."""
    macs: int
    """Multiply-accumulates of one inference."""
    metrics: tuple[Metric, ...]
    data: tuple[DataSource, ...]
    recipe: str
    geometry: Geometry | None = None
    """Of a face model."""
    ferplus: SecondHead | None = None
    """Of a face model with two heads."""
    class_maps: ClassMaps | None = None
    """Of a face model that gives its feature map."""
    front_end: dict[str, Any] | None = None
    """Of a voice model: the parameters of `edge.perception.spectrogram.FrontEnd`."""
    heard: Heard | None = None
    """Of a voice model that knows a voice from background."""


class Manifest(_Part):
    """`models_tflite/manifest.json`."""

    schema_version: Literal[1] = 1
    face: Entry
    voice: Entry


def load_manifest(folder: Path) -> Manifest:
    """Read `manifest.json` in *folder*.

    Raises:
        ModelError: it is missing, unreadable or not of this version's form.
    """
    file = folder / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"{file} is not there; {REMEDY}.") from error
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}); {REMEDY}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(f"{file}: {place}: {first['msg']}; {REMEDY}.") from error


def open_model(folder: Path, entry: Entry, threads: int = 1) -> tuple[Model, TensorSpec]:
    """Load the model of *entry* and find its emotion output, refusing one that is not it.

    Raises:
        ModelError: its hash, input, output or labels are not what the manifest says.
    """
    path = folder / entry.file
    check_hash(path, entry.sha256)
    model = Model(path, threads)
    if entry.labels != EMOTIONS:
        raise ModelError(
            f"{path} has the labels {', '.join(entry.labels)}; Mien needs {', '.join(EMOTIONS)}, "
            "in this order."
        )
    _agree(path, model.input, entry.input, "input")
    return model, claimed_output(path, model, entry.output)


def claimed_output(path: Path, model: Model, claim: Tensor) -> TensorSpec:
    """The output that the manifest speaks of.

    Raises:
        ModelError: the model in *path* has none like it.
    """
    output = model.output(claim.shape, claim.name)
    _agree(path, output, claim, "output")
    return output


def _agree(path: Path, spec: TensorSpec, claim: Tensor, role: str) -> None:
    same = (
        spec.shape == claim.shape
        and spec.dtype == np.dtype(claim.dtype)
        and abs(spec.scale - claim.scale) <= 1e-6 * max(abs(claim.scale), 1e-9)
        and spec.zero_point == claim.zero_point
    )
    if not same:
        raise ModelError(
            f"{path}: its {role} is {spec.dtype} {list(spec.shape)}, but the manifest says "
            f"{claim.dtype} {list(claim.shape)} (or another quantization); {REMEDY}."
        )


def check_hash(path: Path, sha256: str) -> None:
    """Raise `ModelError` unless *path* holds exactly the bytes of that SHA-256."""
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise ModelError(f"The model {path} is not there; {REMEDY}.") from error
    except OSError as error:
        raise ModelError(
            f"The model {path} cannot be read ({error.strerror}); {REMEDY}."
        ) from error
    if actual != sha256:
        raise ModelError(
            f"{path} is damaged or not the model of this release (its SHA-256 begins with "
            f"{actual[:12]}, the manifest's with {sha256[:12]}); {REMEDY}."
        )
