"""Trains the face net on FER2013 with FER+ votes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convert.face_augment import plain_views, random_views
from convert.face_data import FaceData, soft_targets
from convert.face_net import FaceNet
from convert.recipe import FaceRecipe
from convert.training import Schedule, train
from edge.emotions import EMOTIONS


def build_face_net(recipe: FaceRecipe) -> FaceNet:
    """The untrained net of a recipe."""
    return FaceNet(recipe.widths, recipe.blocks, recipe.dropout, len(EMOTIONS))


def train_face(
    data: FaceData, recipe: FaceRecipe, work: Path
) -> tuple[nn.Module, list[dict[str, float]]]:
    """Train by *recipe*, choosing nothing on the test rows; checkpoints go to *work*."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    rows = data.rows("Training")
    rows = rows[~data.not_face[rows]]
    grey = torch.from_numpy(data.pixels[rows][:, None]).to(device)
    targets = torch.from_numpy(soft_targets(data, recipe.ferplus_share)[rows]).to(device)
    steps = len(rows) // recipe.batch

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(recipe.seed * 1_000 + epoch)
        order = torch.randperm(len(rows), generator=generator)
        size_px = recipe.sizes_px[epoch * len(recipe.sizes_px) // recipe.epochs]
        for step in range(steps):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch].to(device)
            views = random_views(grey[chosen], size_px, generator)
            yield views.contiguous(memory_format=torch.channels_last), targets[chosen]

    held_out = data.rows("PublicTest")
    public = plain_views(torch.from_numpy(data.pixels[held_out][:, None]).to(device))
    public_label = torch.from_numpy(data.label[held_out]).to(device)

    def validate(net: nn.Module) -> float:
        net.eval()
        with torch.inference_mode():
            guessed = torch.cat([net(part).argmax(dim=1) for part in public.split(512)])
        return float((guessed == public_label).float().mean())

    schedule = Schedule(
        recipe.epochs, steps, recipe.peak_rate, recipe.weight_decay, recipe.average_decay
    )
    net = build_face_net(recipe).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    work.mkdir(parents=True, exist_ok=True)
    trained, history = train(net, batches, schedule, validate, work / "face.pt")
    return trained.cpu(), history


def calibration_crops(data: FaceData, count: int, seed: int) -> list[NDArray[np.float32]]:
    """Training crops for int8 calibration: float32 [1, 48, 48, 1] each, black and white included."""
    rows = np.random.default_rng(seed).choice(data.rows("Training"), count, replace=False)
    crops = [((data.pixels[row][None, ..., None].astype(np.float32)) - 128) / 128 for row in rows]
    ramp = np.linspace(0, 255, 48 * 48).round().reshape(1, 48, 48, 1).astype(np.float32)
    return [*crops, (ramp - 128) / 128]


def float_logits(net: nn.Module, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits float32 [rows, 7] of uint8 crops [rows, 48, 48], by the net in floats."""
    net.eval()
    with torch.inference_mode():
        parts = plain_views(torch.from_numpy(pixels[:, None])).split(512)
        logits: NDArray[np.float32] = torch.cat([net(part) for part in parts]).numpy()
    return logits
