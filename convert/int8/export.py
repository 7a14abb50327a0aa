"""PyTorch -> LiteRT -> static int8, in and out."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convert.errors import ConversionError
from convert.int8.static import LEAST_AGREEMENT, name_outputs, quantize_static


def convert_int8(
    net: nn.Module,
    calibration: Iterable[NDArray[np.float32]],
    low: float,
    high: float,
    out: Path,
) -> None:
    """Write *net* to *out* as an int8 model whose input covers exactly *low* to *high*.

    Args:
        net: takes float32 [1, H, W, 1] as the device gives it and returns a dict; its keys become
            the names of the model's outputs. What the first one says is compared with the model.
        calibration: real inputs, each float32 [1, H, W, 1].
        low: least input value; becomes the integer -128.
        high: greatest input value; becomes 127.
        out: where the .tflite goes.

    Raises:
        ConversionError: the converter gave a model whose input is not what was asked for.
    """
    import litert_torch

    samples = [_reach_both_ends(sample, low, high) for sample in calibration]
    if not samples:
        raise ConversionError("There is no calibration sample; int8 ranges come from real inputs.")
    # Weights left in the channels_last layout by training were exported as each other's copies.
    plain = net.cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    with tempfile.TemporaryDirectory() as folder:
        floating = Path(folder) / "float.tflite"
        litert_torch.convert(plain, (torch.from_numpy(samples[0]),)).export(str(floating))
        quantize_static(floating, samples, out)
    name_outputs(out)
    _check_input(out, (high - low) / 255, low)
    _check_agreement(plain, out, samples)


def _reach_both_ends(sample: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Set two corner values to the ends of the range, so that the int8 scale is exactly the range's."""
    pinned = sample.copy()
    pinned[0, 0, 0, 0], pinned[0, -1, -1, 0] = low, high
    return pinned


def _check_input(model: Path, scale: float, low: float) -> None:
    from edge.perception.interpreter import Model

    spec = Model(model).input
    zero_point = round(-128 - low / scale)
    if spec.dtype != np.int8 or abs(spec.scale / scale - 1) > 1e-3 or spec.zero_point != zero_point:
        raise ConversionError(
            f"{model}: the input came out as {spec.dtype}, scale {spec.scale:.6f}, zero point "
            f"{spec.zero_point}; expected int8, {scale:.6f}, {zero_point}."
        )


def _check_agreement(net: nn.Module, model: Path, samples: list[NDArray[np.float32]]) -> None:
    """Refuse a model that does not do what the net does."""
    from edge.perception.interpreter import Model

    quantized = Model(model)
    with torch.inference_mode():
        given_by_net = [net(torch.from_numpy(sample)) for sample in samples]
    name = next(iter(given_by_net[0]))
    output = quantized.output(tuple(given_by_net[0][name].shape), name)
    wanted = [int(each[name].argmax()) for each in given_by_net]
    given = [
        int(quantized.run(quantized.input.quantize(sample), output).argmax()) for sample in samples
    ]
    same = float(np.mean(np.equal(wanted, given)))
    print(f"int8 and float name the same class on {same:.1%} of {len(samples)} calibration samples")
    if same < LEAST_AGREEMENT:
        raise ConversionError(
            f"{model} names the same class as the float net on only {same:.1%} of the calibration "
            "samples; the conversion went wrong, or the net needs training for int8."
        )
