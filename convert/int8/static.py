"""A float .tflite -> static int8, in and out, with ranges from real inputs."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.errors import ConversionError

LEAST_AGREEMENT: Final = 0.9
"""Less than this on the calibration samples is a broken conversion, not rounding."""


def quantize_static(
    floating: Path,
    samples: list[NDArray[np.float32]],
    out: Path,
    input_range: tuple[float, float] | None = None,
    report: bool = True,
) -> None:
    """Write the int8 version of *floating* to *out*.

    Args:
        floating: a float .tflite with one signature of one input.
        samples: real inputs, each of the input's shape.
        out: where the int8 .tflite goes; missing folders are made.
        input_range: the values that -128 and 127 of the input stand for; None = the least and the
            greatest value of the samples.
        report: whether the quantizer prints the sizes.

    Raises:
        ConversionError: a layer gives values that are no number.
    """
    from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    engine = quantizer.Quantizer(str(floating))
    engine.load_quantization_recipe(recipe.static_wi8_ai8())
    signature, name, tensor = _input_names(floating)
    rules = recipe_manager.RecipeManager()
    rules.load_quantization_recipe(recipe.static_wi8_ai8())
    # By default the ranges of the samples are averaged, which cuts off the clearest of them.
    widest = calibrator.Calibrator(str(floating), qsv_update_func=qsv_utils.min_max_update)
    widest.calibrate({signature: [{name: sample} for sample in samples]}, rules)
    ranges = widest.get_model_qsvs()
    for tensor_name, known in ranges.items():
        # The quantizer crashes on them, without a word.
        if not all(np.isfinite(known[end]).all() for end in ("min", "max") if end in known):
            raise ConversionError(
                f"The net gives values that are no number (NaN or infinite) in {tensor_name} on the "
                "samples; mend the net, or check that the samples are scaled as in training."
            )
    if input_range is not None:
        known = ranges[tensor]
        for end, value in zip(("min", "max"), input_range, strict=True):
            known[end] = np.full_like(known[end], value)
    out.parent.mkdir(parents=True, exist_ok=True)
    engine.quantize(ranges, enable_progress_report=report).export_model(str(out), overwrite=True)


def name_outputs(model: Path) -> None:
    """Call each output tensor as the signature does: `fer2013`, not `serving_default_fer2013_...`."""
    from ai_edge_litert.tools import flatbuffer_utils

    content = flatbuffer_utils.read_model(str(model))
    for signature in content.signatureDefs:
        for output in signature.outputs:
            tensor = content.subgraphs[signature.subgraphIndex].tensors[output.tensorIndex]
            tensor.name = output.name
    flatbuffer_utils.write_model(content, str(model))


def _input_names(model: Path) -> tuple[str, str, str]:
    """The signature, its input's name, and the name of the tensor behind it."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_path=str(model))
    signatures = interpreter.get_signature_list()
    key = next(iter(signatures))
    name = signatures[key]["inputs"][0]
    return str(key), str(name), str(interpreter.get_input_details()[0]["name"])
