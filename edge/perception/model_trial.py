"""Tries a model that did not come with Mien in a process of its own, before it is let into this one.

LiteRT trusts what it is given: a damaged model may end the process that runs it, and the hash in a
manifest says nothing where somebody has written both. Those that came with Mien are known by their
digests and cost nothing; any other is run once elsewhere, which takes about as long as a start of
LiteRT.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Final

from edge.config.paths import restore_models
from edge.errors import ModelError
from edge.process.trial import Trial, try_in_child

SHIPPED: Final = frozenset(
    {
        "1be41b991333c18f94e08de3bef5ae22c624d038641696f58d499df0ba769fd9",  # face_int8.tflite
        "815160798f59b547e26df37091eb24b3faff1f4742cc9bf7c200ec1c024e036b",  # voice_int8.tflite
    }
)
"""SHA-256 of the models that come with Mien; a test holds it to the manifest in the repository."""
_LIMIT_S: Final = 60.0
"""A Pi Zero takes some 10 s to load LiteRT."""

# What a person may mend (no runtime, no model) is said by who loads it for good.
_RUN: Final = """
import importlib, sys
sys.path[:0] = sys.argv[2:]
import numpy
for runtime in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
    try:
        make = importlib.import_module(runtime).Interpreter
        break
    except ImportError:
        pass
with open(sys.argv[1], "rb") as stream:
    content = stream.read()
interpreter = make(model_content=content, num_threads=1)
interpreter.allocate_tensors()
for detail in interpreter.get_input_details():
    interpreter.set_tensor(detail["index"], numpy.zeros(detail["shape"], detail["dtype"]))
interpreter.invoke()
"""


def try_model(path: Path, sha256: str) -> None:
    """See that the model in *path* ends no process that runs it.

    Args:
        path: of the file.
        sha256: of its content. One that came with Mien, or went well before, is not tried.

    Raises:
        ModelError: it would have ended this process, or hung it.
    """
    if sha256 not in SHIPPED:
        _try_once(path, sha256)


@cache
def _try_once(path: Path, sha256: str) -> None:
    trial = run_elsewhere(path)
    if trial.trouble:
        raise ModelError(
            f"{path} is damaged, or no model that can be run here: it ends the process that it is in "
            f"({trial.trouble}); {restore_models(path.parent)}."
        )


def run_elsewhere(path: Path) -> Trial:
    """Run the model in *path* once, on zeros, in a process of its own."""
    folders = [folder for folder in sys.path if folder]
    return try_in_child(_RUN, str(path), *folders, limit_s=_LIMIT_S)
