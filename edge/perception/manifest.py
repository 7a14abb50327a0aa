"""What the models folder claims to hold, and the check that it does."""

import hashlib
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.config.paths import restore_models
from edge.emotions import EMOTIONS
from edge.errors import ModelError
from edge.perception import interpreter
from edge.perception.interpreter import Model, TensorSpec
from edge.perception.model_trial import try_model
from edge.perception.spectrogram import FrontEnd
from edge.process.regular_files import read_regular

MANIFEST = "manifest.json"
LARGEST_BYTES = 4_000_000
"""Of a manifest. Ours has 22 kB."""
LARGEST_TENSOR = 16_777_216
"""Most values in an input or output: 64 MB as floats."""

PlainName = Annotated[str, Field(pattern=r"^\w[\w.\-]*$", max_length=100)]
"""Of a file beside the manifest: no folder, so that no other file can be meant."""
Name = Annotated[str, Field(max_length=1_000)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Share = Annotated[float, Field(ge=0, le=1)]
Place = tuple[float, float]
"""x and y, in pixels of the crop."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Tensor(_Part):
    """Shape and quantization of an input or an output."""

    name: Name = ""
    shape: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(min_length=1, max_length=6)
    ]
    dtype: Literal["int8", "uint8", "float32"]
    scale: Annotated[float, Field(ge=0, le=1e6)]
    zero_point: Annotated[int, Field(ge=-128, le=255)]

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "Tensor":
        if math.prod(self.shape) > LARGEST_TENSOR:
            raise ValueError(f"a tensor may hold {LARGEST_TENSOR:,} values")
        return self


class Geometry(_Part):
    """Where the features of a face lie in a training crop, in pixels of the crop."""

    width_px: Annotated[int, Field(ge=16, le=512)]
    height_px: Annotated[int, Field(ge=16, le=512)]
    right_eye: Place
    left_eye: Place
    mouth: Place

    @model_validator(mode="after")
    def _is_a_face_in_the_crop(self) -> "Geometry":
        places = (self.right_eye, self.left_eye, self.mouth)
        if not all(0 <= x <= self.width_px and 0 <= y <= self.height_px for x, y in places):
            raise ValueError("both eyes and the mouth have to lie within the crop")
        if self.left_eye[0] - self.right_eye[0] < 1:
            raise ValueError("the right eye has to lie to the left of the left one, as we see it")
        return self


class Metric(_Part):
    """One measured figure with all that is needed to read it."""

    name: Name
    value: float
    split: Name
    rows: Count
    label_set: Name
    precision: Literal["int8", "float"]


class DataSource(_Part):
    """A data set that the weights were trained on."""

    name: Name
    licence: Name


class SecondHead(_Part):
    """A further output of a face model: logits of the eight emotions of FER+."""

    output: Tensor
    labels: tuple[str, ...]
    share: Share
    """Its weight in what is shown; the first head has the rest."""
    offsets: Annotated[
        tuple[Annotated[float, Field(ge=-20, le=20)], ...],
        Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS)),
    ] = (0.0,) * len(EMOTIONS)
    """Added to the logits of the blend; see `edge.perception.face_heads.FaceHeads`."""


class Seen(_Part):
    """A further output of a face model: the logit that there is a face at all."""

    output: Tensor


class ClassMaps(_Part):
    """What is needed to draw where in the crop a face model saw an emotion."""

    output: Tensor
    """The last feature map [1, h, w, channels]."""
    weights: Annotated[
        tuple[tuple[float, ...], ...],
        Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS)),
    ]
    """[7, channels], see `edge.perception.face_heads.class_map`."""

    @model_validator(mode="after")
    def _has_rows_of_one_length(self) -> "ClassMaps":
        if {len(row) for row in self.weights} != {self.output.shape[-1]}:
            raise ValueError("weights have to have a number for each channel of output")
        return self


class Heard(_Part):
    """A further output of a voice model: the logit that there is a voice at all."""

    output: Tensor
    threshold: Share
    """Least probability; a window below it holds no voice and says nothing about emotion."""


class Entry(_Part):
    """One model."""

    file: PlainName
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    labels: tuple[str, ...]
    input: Tensor
    output: Tensor
    temperature: Annotated[float, Field(ge=0.01, le=100)]
    """Logits are divided by it before softmax (temperature scaling)."""
    class_prior: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...],
        Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS)),
    ]
    """How often each class was learned from, sums to 1."""
    macs: Count
    """Multiply-accumulates of one inference."""
    metrics: tuple[Metric, ...]
    data: tuple[DataSource, ...]
    recipe: PlainName
    geometry: Geometry | None = None
    """Of a face model."""
    ferplus: SecondHead | None = None
    """Of a face model with two heads."""
    class_maps: ClassMaps | None = None
    """Of a face model that gives its feature map."""
    seen: Seen | None = None
    """Of a face model that knows a face from what the detector takes for one."""
    front_end: dict[str, Any] | None = None
    """Of a voice model: the parameters of `edge.perception.spectrogram.FrontEnd`."""
    heard: Heard | None = None
    """Of a voice model that knows a voice from background."""

    @model_validator(mode="after")
    def _has_a_front_end_that_works(self) -> "Entry":
        try:
            FrontEnd(**(self.front_end or {}))
        except (TypeError, ValueError) as error:  # TypeError: a parameter that there is not
            raise ValueError(f"front_end: {error}") from error
        return self


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
        return Manifest.model_validate_json(read_regular(file, LARGEST_BYTES))
    except FileNotFoundError as error:
        raise ModelError(f"{file} is not there; {restore_models(folder)}.") from error
    except OSError as error:
        raise ModelError(
            f"{file} cannot be read ({error.strerror}); {restore_models(folder)}."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        reason = first["msg"].removeprefix("Value error, ")
        raise ModelError(f"{file}: {place}: {reason}; {restore_models(folder)}.") from error


def open_model(folder: Path, entry: Entry, threads: int = 1) -> tuple[Model, TensorSpec]:
    """Load the model of *entry* and find its emotion output, refusing one that is not it.

    Raises:
        ModelError: its hash, input, output or labels are not what the manifest says, or it did not
            come with Mien and would end the process.
    """
    path = folder / entry.file
    content = read_checked(path, entry.sha256)
    try_model(path, entry.sha256)
    model = Model(path, threads, content=content)
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
            f"{claim.dtype} {list(claim.shape)} (or another quantization); {restore_models(path.parent)}."
        )


def check_hash(path: Path, sha256: str) -> None:
    """Raise `ModelError` unless *path* holds exactly the bytes of that SHA-256."""
    read_checked(path, sha256)


def read_checked(path: Path, sha256: str) -> bytes:
    """The model in *path*.

    Raises:
        ModelError: it cannot be read, or holds other bytes than those of that SHA-256.
    """
    try:
        content = read_regular(path, interpreter.LARGEST_BYTES)
    except FileNotFoundError as error:
        raise ModelError(
            f"The model {path} is not there; {restore_models(path.parent)}."
        ) from error
    except OSError as error:
        raise ModelError(
            f"The model {path} cannot be read ({error.strerror}); {restore_models(path.parent)}."
        ) from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise ModelError(
            f"{path} is damaged or not the model of this release (its SHA-256 begins with "
            f"{actual[:12]}, the manifest's with {sha256[:12]}); {restore_models(path.parent)}."
        )
    return content
