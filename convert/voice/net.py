"""The voice net: a small residual CNN over the log-mel picture, exported to int8."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convert.training.blocks import Residual


class VoiceLogits(NamedTuple):
    """What the net gives for N windows."""

    emotions: Tensor
    """Logits [N, classes]."""
    heard: Tensor
    """Logit [N, 1] that there is a voice in the window at all."""


class VoiceNet(nn.Module):
    """Log-mel window -> logits of the seven emotions, and of there being a voice.

    Unlike a face, sound means another thing at another height: after the last stage the
    frequency axis is folded by a convolution with a weight for every height that is left, and
    only time is pooled, by mean (how it was on the whole) and by maximum (its strongest moment).

    Input: float32 [N, 1, bands, frames], in the units of `Spectrogram.features`.
    """

    def __init__(
        self,
        widths: Sequence[int],
        blocks: Sequence[int],
        dropout: float,
        classes: int,
        bands: int,
    ) -> None:
        """Args give the channels of stem and stages, residual blocks per stage, and the input.

        widths: of the stem, then of each stage; every stage halves both axes, as the stem does.
        blocks: residual blocks of each stage, one entry less than *widths*.
        """
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, 2, 2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        inputs, height = widths[0], (bands + 1) // 2
        for width, count in zip(widths[1:], blocks, strict=True):
            for block in range(count):
                stages.append(Residual(inputs, width, 2 if block == 0 else 1))
                inputs = width
            height = (height + 1) // 2
        self.stages = nn.Sequential(*stages)
        self.fold = nn.Sequential(
            nn.Conv2d(inputs, inputs, (height, 1), bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
        )
        self.dropout = nn.Dropout(dropout)
        self.emotions = nn.Linear(2 * inputs, classes)
        self.heard = nn.Linear(2 * inputs, 1)

    def forward(self, x: Tensor) -> VoiceLogits:
        """float32 [N, 1, bands, frames] -> logits."""
        moments = self.fold(self.stages(self.stem(x)))
        # A pooling of fixed size has an int8 operator everywhere; a reducing maximum has not.
        strongest = nn.functional.max_pool2d(moments, (1, moments.shape[3])).flatten(1)
        pooled = torch.cat([moments.mean(dim=(2, 3)), strongest], dim=1)
        pooled = self.dropout(pooled)
        return VoiceLogits(self.emotions(pooled), self.heard(pooled))


class DeviceVoiceNet(nn.Module):
    """The net with inputs and outputs as the device has them; the names become the model's."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """float32 [1, bands, frames, 1] -> emotions [1, 7], heard [1, 1]."""
        given: VoiceLogits = self.net(x.permute(0, 3, 1, 2))
        return {"emotions": given.emotions, "heard": given.heard}
