"""Random views of a batch of grey crops, made on the training device in one pass."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Uniform = Callable[[float, float], Tensor]


def random_views(grey: Tensor, size_px: int, generator: torch.Generator) -> Tensor:
    """Turn uint8 [N, 1, 48, 48] into float32 [N, 1, size_px, size_px], values (grey - 128) / 128.

    Each image gets its own mirror image, rotation (up to 14 degrees), scale (0.85-1.15),
    shift (up to 8 %), contrast, brightness and gamma, some sensor noise, and now and then a
    blanked rectangle (cut-out).
    """
    count, device = grey.shape[0], grey.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator).to(device) * (high - low) + low

    angle = uniform(-14, 14) * (math.pi / 180)
    scale, aspect = uniform(0.85, 1.15), uniform(0.94, 1.06)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    transform = torch.stack(
        [
            torch.stack([cosine * mirror * aspect, -sine, uniform(-0.16, 0.16)], dim=1),
            torch.stack([sine * mirror, cosine / aspect, uniform(-0.16, 0.16)], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(transform, [count, 1, size_px, size_px], align_corners=False)
    unit = functional.grid_sample(
        grey.float() / 255, grid, padding_mode="border", align_corners=False
    )

    def per_image(values: Tensor) -> Tensor:
        return values.view(-1, 1, 1, 1)

    unit = unit.clamp(0, 1) ** per_image(torch.exp(uniform(-0.35, 0.35)))
    unit = (unit - 0.5) * per_image(uniform(0.65, 1.3)) + 0.5 + per_image(uniform(-0.15, 0.15))
    unit = unit + torch.randn(unit.shape, generator=generator).to(device) * per_image(
        uniform(0, 0.03)
    )
    unit = _cut_out(unit, uniform)
    return (unit.clamp(0, 1) * 255 - 128) / 128


def plain_views(grey: Tensor) -> Tensor:
    """uint8 [N, 1, H, W] -> float32 of the same shape, values (grey - 128) / 128."""
    return (grey.float() - 128) / 128


def _cut_out(unit: Tensor, uniform: Uniform) -> Tensor:
    """Blank a random rectangle of 40 % of the images with mid grey."""
    size = unit.shape[-1]
    line = torch.arange(size, device=unit.device)
    side_x, side_y = uniform(0.15, 0.45) * size, uniform(0.15, 0.45) * size
    x, y = uniform(0, 1) * size, uniform(0, 1) * size
    inside_x = (line[None] - x[:, None]).abs() < side_x[:, None] / 2
    inside_y = (line[None] - y[:, None]).abs() < side_y[:, None] / 2
    hit = (inside_y[:, :, None] & inside_x[:, None, :]) & (uniform(0, 1) < 0.4)[:, None, None]
    return unit.masked_fill(hit[:, None], 0.5)
