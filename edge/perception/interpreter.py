"""The one place that loads a LiteRT (or tflite-runtime) interpreter."""

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.config.paths import restore_models
from edge.errors import ModelError
from edge.process.pip_command import pip_install
from edge.process.regular_files import read_regular

RUNTIMES: Final = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
"""In order of preference; both offer the same three calls. See docs/decisions/001."""
LARGEST_BYTES: Final = 256_000_000
"""Of a model. Mien's own have less than 1 MB."""


@dataclass(frozen=True)
class TensorSpec:
    """What a model takes or gives."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    """Real value = scale * (integer - zero_point); 0 for a float tensor."""
    zero_point: int
    index: int

    def dequantize(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Integers of this tensor -> the real values that they stand for, float32."""
        if self.scale == 0:
            return np.asarray(values, np.float32)
        real: NDArray[np.float32] = values.astype(np.float32)
        real -= np.float32(self.zero_point)
        real *= np.float32(self.scale)
        return real

    def quantize(self, values: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Real values -> the nearest integers of this tensor, saturated."""
        if self.scale == 0:
            return np.asarray(values, self.dtype)
        limits = np.iinfo(self.dtype)
        integers = np.rint(values / np.float32(self.scale)) + self.zero_point
        return np.asarray(np.clip(integers, limits.min, limits.max), self.dtype)


class Model:
    """A loaded model with one input, run on one thread at a time."""

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        runtime: str = "auto",
        content: bytes | None = None,
    ) -> None:
        """Load *path* into memory.

        Args:
            path: a .tflite file.
            threads: how many CPU threads one inference may use.
            runtime: "auto", or a module name of `RUNTIMES`.
            content: of the file, where it has been read and checked already.

        Raises:
            ModelError: no runtime is installed, or the file is missing or is no model.
        """
        if content is None:
            content = _read(path)
        module = _runtime(runtime)
        self._content = content
        """The interpreter works on it and does not hold it. Never a path, which it would map."""
        try:
            self._interpreter: Any = module.Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except ImportError as error:
            raise ModelError(_explain(module.__name__, error)) from error
        except (ValueError, RuntimeError, SystemError) as error:
            # Compiled for another numpy it raises a SystemError that an ImportError has caused.
            if isinstance(error.__cause__, ImportError) or "numpy" in str(error).lower():
                raise ModelError(_explain(module.__name__, error)) from error
            raise ModelError(
                f"{path} is no model that {module.__name__.split('.')[0]} can run; "
                f"{restore_models(path.parent)}."
            ) from error
        self.runtime = module.__name__.split(".")[0]
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1:
            raise ModelError(f"{path} has {len(inputs)} inputs; Mien's models have one.")
        self.input = _spec(inputs[0])
        self.outputs = tuple(_spec(detail) for detail in self._interpreter.get_output_details())

    def output(self, shape: tuple[int, ...], name: str = "") -> TensorSpec:
        """The output of that name, else the only one of that shape.

        Raises:
            ModelError: there is no such output.
        """
        named = [spec for spec in self.outputs if name and spec.name == name]
        fitting = [spec for spec in named or self.outputs if spec.shape == shape]
        if len(fitting) != 1:
            found = ", ".join(f"{spec.name} {list(spec.shape)}" for spec in self.outputs)
            raise ModelError(
                f"The model has no single output of shape {list(shape)}, only {found}."
            )
        return fitting[0]

    def run(self, values: NDArray[Any], output: TensorSpec) -> NDArray[np.float32]:
        """One inference: integers (or floats) of the input's dtype and shape -> real values."""
        return self.run_all(values, (output,))[0]

    def run_all(
        self, values: NDArray[Any], outputs: Sequence[TensorSpec]
    ) -> list[NDArray[np.float32]]:
        """As `run`, but with the real values of several outputs of the one inference."""
        self._interpreter.set_tensor(self.input.index, values)
        self._interpreter.invoke()
        return [each.dequantize(self._interpreter.get_tensor(each.index)) for each in outputs]


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST_BYTES)
    except FileNotFoundError as error:
        raise ModelError(
            f"The model {path} is not there; {restore_models(path.parent)}."
        ) from error
    except OSError as error:
        raise ModelError(
            f"The model {path} cannot be read ({error.strerror}); {restore_models(path.parent)}."
        ) from error


def _runtime(wanted: str) -> ModuleType:
    problems = []
    for name in RUNTIMES if wanted == "auto" else (wanted,):
        try:
            module = importlib.import_module(name)
            if _fails_under_this_numpy(name):
                raise ImportError("built for numpy 1")
            return module
        except ImportError as error:
            problems.append(_explain(name, error))
    raise ModelError(problems[0])


def _fails_under_this_numpy(runtime: str) -> bool:
    """Whether it imports well, but would write a traceback of numpy's and fail in a constructor.

    So does Google's tflite-runtime, whose last is 2.14; later builds by others may know numpy 2.
    """
    package = runtime.split(".")[0]
    if package != "tflite_runtime" or _numpy_major() < 2:
        return False
    version = str(getattr(importlib.import_module(package), "__version__", ""))
    number = re.match(r"(\d+)\.(\d+)", version)
    return number is not None and (int(number[1]), int(number[2])) <= (2, 14)


def _numpy_major() -> int:
    return int(np.__version__.split(".")[0])


def _explain(runtime: str, error: BaseException) -> str:
    package = "ai-edge-litert" if runtime.startswith("ai_edge") else "tflite-runtime"
    if package == "tflite-runtime" and _numpy_major() >= 2:
        return (
            f"tflite-runtime was built for numpy 1 and cannot run under numpy {np.__version__}; "
            f"install its successor with: {pip_install('ai-edge-litert')}"
        )
    return f"{package} cannot be loaded ({error}); install it with: {pip_install(package)}"


def _spec(detail: dict[str, Any]) -> TensorSpec:
    quantization = detail["quantization_parameters"]
    scales, zeros = quantization["scales"], quantization["zero_points"]
    return TensorSpec(
        name=str(detail["name"]),
        shape=tuple(int(side) for side in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scale=float(scales[0]) if len(scales) else 0.0,
        zero_point=int(zeros[0]) if len(zeros) else 0,
        index=int(detail["index"]),
    )
