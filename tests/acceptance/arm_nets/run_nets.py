"""Runs both nets on the inputs of a file, as Mien does.

`python -m tests.acceptance.arm_nets.run_nets IN OUT` runs on this machine and, by qemu-user, as an
aarch64 program; both write what came out as int8. Each inference is framed by two system calls that do
nothing here and that count_instructions.c looks for.
"""

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.perception.interpreter import Model
from edge.perception.spectrogram import FrontEnd, Spectrogram

REPO_ROOT = Path(__file__).resolve().parents[3]
MODELS = REPO_ROOT / "models_tflite"


def infer(model: Model, inputs: NDArray[np.int8]) -> list[NDArray[np.int8]]:
    """Int8 [n, ...] of each of the model's outputs, by name."""
    outputs = sorted(model.outputs, key=lambda output: output.name)
    given: list[list[NDArray[Any]]] = []
    for one in inputs:
        os.sched_get_priority_max(os.SCHED_OTHER)
        values = model.run_all(one[None], outputs)
        os.sched_get_priority_min(os.SCHED_OTHER)
        # Back to the integers that the net gave: rounding undoes the scale exactly.
        given.append([spec.quantize(real) for spec, real in zip(outputs, values, strict=True)])
    return [np.concatenate(column) for column in zip(*given, strict=True)]


def features(front_end: FrontEnd, model: Model, sounds: NDArray[np.float32]) -> NDArray[np.int8]:
    """Int8 [n, bands, frames, 1]: *sounds* as the voice net sees them."""
    spectrogram = Spectrogram(front_end)
    windows = [model.input.quantize(spectrogram.features(sound).T) for sound in sounds]
    return np.asarray(np.stack(windows)[..., None], np.int8)


def main() -> None:
    given, out = Path(sys.argv[1]), Path(sys.argv[2])
    manifest = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))
    with np.load(given) as file:
        inputs = dict(file)
    found: dict[str, NDArray[Any]] = {}
    for name in ("face", "voice"):
        model = Model(MODELS / manifest[name]["file"])
        if name == "voice":
            front_end = FrontEnd(**manifest["voice"]["front_end"])
            found["features"] = features(front_end, model, inputs["sounds"])
            # The first machine's own windows are the input of both.
            inputs.setdefault("voice", found["features"])
        began_s = time.perf_counter()
        for number, output in enumerate(infer(model, inputs[name])):
            found[f"{name} {number}"] = output
        took_ms = (time.perf_counter() - began_s) * 1e3 / len(inputs[name])
        print(f"{name}: {took_ms:.2f} ms each, {model.runtime}", flush=True)
    found["voice"] = inputs["voice"]
    arrays: Any = found
    np.savez(out, **arrays)
    print(f"done on {platform.machine()}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
