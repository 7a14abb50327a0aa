"""Random views of a batch of grey crops, made on the training device in one pass."""

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from convert.face.covers import cover

Uniform = Callable[[float, float], Tensor]
"""Two bounds, or a middle and a reach, to one random number for each image, [N, 1, 1, 1]."""

_JPEG, _DIM, _SIDE_LIT, _BLURRED, _CUT_OUT = 0.08, 0.08, 0.15, 0.12, 0.4
"""How often an image suffers each of these."""
_JPEG_QUALITY: Final = (12, 60)
_COVERED, _COARSE, _DARK = 0.12, 0.25, 0.15
"""And of these, with wide views."""
_COARSE_PX: Final = (14, 40)
_DARK_LEAST: Final = 0.03


def random_views(
    gray: Tensor,
    size_px: int,
    generator: torch.Generator,
    strength: float = 1.0,
    *,
    wide: bool = False,
) -> Tensor:
    """Turn uint8 [N, 1, 48, 48] into float32 [N, 1, size_px, size_px], values (grey - 128) / 128.

    *strength* 0 to 1 scales how much and how often. At 1 each image gets its own mirror image,
    rotation (up to 14 degrees), scale (0.85-1.15), shift (up to 8 %), contrast, brightness, gamma
    and sensor noise; now and then JPEG blocks, blur, light from one side, hardly any light, or a
    blanked rectangle (cut-out). With *wide* views there also are, as often as *strength* says, glasses,
    sunglasses and masks, faces of 14 pixels, and darkness down to 3 % with the noise of a sensor and
    steps of 8 bits.
    """
    count, device = gray.shape[0], gray.device

    def uniform(low: float, high: float) -> Tensor:
        drawn = torch.rand(count, generator=generator).to(device) * (high - low) + low
        return drawn.view(-1, 1, 1, 1)

    def around(middle: float, reach: float) -> Tensor:
        return middle + uniform(-reach, reach) * strength

    def chosen(share: float) -> Tensor:
        return (uniform(0, 1) < share * strength).float()

    if wide:
        gray = _covered(gray, _COVERED * strength, generator)
    unit = _jpeg(gray, _JPEG * strength, generator).float() / 255
    unit = functional.grid_sample(
        unit,
        _affine_grid(around, uniform, count, size_px),
        padding_mode="border",
        align_corners=False,
    )
    if wide:
        unit = _coarse(unit, _COARSE * strength, generator)
    unit = _blur(unit, chosen(_BLURRED) * uniform(0.3, 1))
    unit = unit * (1 + chosen(_SIDE_LIT) * _side_light(uniform, unit.shape[-1]))
    unit = unit.clamp(0, 1) ** torch.exp(around(0, 0.35))
    unit = (unit - 0.5) * around(1, 0.33) + 0.5 + around(0, 0.15)
    dim = chosen(_DIM)
    unit = unit.clamp(0, 1) * (1 - dim * uniform(0.55, 0.88))
    noise = torch.randn(unit.shape, generator=generator).to(device)
    unit = unit + noise * (uniform(0, 0.03) * strength + dim * uniform(0, 0.03))
    if wide:
        unit = _darkened(unit, uniform, chosen(_DARK), generator)
    unit = _cut_out(unit, uniform, chosen(_CUT_OUT))
    return (unit.clamp(0, 1) * 255 - 128) / 128


def plain_views(gray: Tensor) -> Tensor:
    """uint8 [N, 1, H, W] -> float32 of the same shape, values (grey - 128) / 128."""
    return (gray.float() - 128) / 128


def blend_pairs(
    views: Tensor, targets: tuple[Tensor, ...], share: float, generator: torch.Generator
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Mixup (Zhang et al. 2018) of *share* of the batch: picture and targets of two rows blended."""
    count, device = views.shape[0], views.device
    other = torch.randperm(count, generator=generator).to(device)
    weight = torch.rand(count, generator=generator) * 0.5
    weight = (weight * (torch.rand(count, generator=generator) < share)).to(device)
    views = views + weight.view(-1, 1, 1, 1) * (views[other] - views)
    blended = tuple(target + weight[:, None] * (target[other] - target) for target in targets)
    return views, blended


def _affine_grid(around: Uniform, uniform: Uniform, count: int, size_px: int) -> Tensor:
    angle = around(0, 14) * (math.pi / 180)
    scale, aspect = around(1, 0.15), around(1, 0.06)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    rows = [
        cosine * mirror * aspect,
        -sine,
        around(0, 0.16),
        sine * mirror,
        cosine / aspect,
        around(0, 0.16),
    ]
    transform = torch.cat(rows, dim=1).view(count, 2, 3)
    return functional.affine_grid(transform, [count, 1, size_px, size_px], align_corners=False)


def _jpeg(gray: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Send some of the images through real JPEG compression."""
    hit = torch.rand(gray.shape[0], generator=generator) < share
    quality = torch.randint(*_JPEG_QUALITY, (int(hit.sum()),), generator=generator).tolist()
    if not quality:
        return gray
    strengths = iter(quality)
    return _changed(gray, hit, lambda image: _compressed(image, next(strengths)))


def _changed(
    gray: Tensor, hit: Tensor, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> Tensor:
    """Those of the images that are *hit*, one after the other, as *change* makes them."""
    out = gray.clone()
    for row in torch.nonzero(hit)[:, 0].tolist():
        out[row, 0] = torch.from_numpy(change(gray[row, 0].cpu().numpy()))
    return out


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def _covered(gray: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Draw glasses, sunglasses or a mask on some of the images."""
    hit = torch.rand(gray.shape[0], generator=generator) < share
    if not hit.any():
        return gray
    random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    return _changed(gray, hit, lambda image: cover(image, random))


def _coarse(unit: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Let some of the images have as few pixels as a far face, in one batch all the same number."""
    hit = torch.rand(unit.shape[0], generator=generator) < share
    rows = torch.nonzero(hit)[:, 0]
    if not len(rows):
        return unit
    side = int(torch.randint(*_COARSE_PX, (1,), generator=generator))
    whole = unit.shape[-1]
    small = functional.interpolate(unit[rows], size=(side, side), mode="area")
    large = functional.interpolate(small, size=(whole, whole), mode="bilinear")
    return unit.index_copy(0, rows.to(unit.device), large)


def _darkened(unit: Tensor, uniform: Uniform, hit: Tensor, generator: torch.Generator) -> Tensor:
    """As little light as there is, down to 3 %, evenly by its logarithm; the sensor's noise stays."""
    light = torch.exp(uniform(math.log(_DARK_LEAST), math.log(0.5)))
    noise = torch.randn(unit.shape, generator=generator).to(unit.device) * uniform(0, 0.012)
    dark = ((unit.clamp(0, 1) * light + noise).clamp(0, 1) * 255).round() / 255
    return torch.where(hit > 0, dark, unit)


def _blur(unit: Tensor, strength: Tensor) -> Tensor:
    """Move each image towards its soft version; *strength* 0 to 1, [N, 1, 1, 1]."""
    hit = torch.nonzero(strength[:, 0, 0, 0] > 0)[:, 0]
    if not len(hit):
        return unit
    sharp = unit[hit]
    soft = sharp
    for _ in range(2):
        soft = functional.avg_pool2d(functional.pad(soft, (1, 1, 1, 1), "replicate"), 3, 1)
    return unit.index_copy(0, hit, sharp + strength[hit] * (soft - sharp))


def _side_light(uniform: Uniform, size_px: int) -> Tensor:
    """A slope of -0.6 to 0.6 across the image, in any direction: [N, 1, size, size]."""
    slope, angle = uniform(0.2, 0.6), uniform(0, 2 * math.pi)
    line = torch.linspace(-1, 1, size_px, device=slope.device)
    along_x, along_y = torch.cos(angle) * line[None, None, None], torch.sin(angle)
    return slope * (along_x + along_y * line[None, None, :, None])


def _cut_out(unit: Tensor, uniform: Uniform, hit: Tensor) -> Tensor:
    """Blank a random rectangle of the images that are *hit* with mid grey (DeVries 2017)."""
    size = unit.shape[-1]
    line = torch.arange(size, device=unit.device)
    side_x, side_y = uniform(0.15, 0.45) * size, uniform(0.15, 0.45) * size
    x, y = uniform(0, 1) * size, uniform(0, 1) * size
    inside_x = (line[None, None, None] - x).abs() < side_x / 2
    inside_y = (line[None, None, :, None] - y).abs() < side_y / 2
    return unit.masked_fill(inside_x & inside_y & (hit > 0), 0.5)
