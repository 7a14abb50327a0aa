"""The voice net: a small residual CNN over the log-mel picture, exported to int8."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convert.face_net import Residual


class VoiceNet(nn.Module):
    """Log-mel window -> logits of the seven emotions.

    Unlike a face, sound means another thing at another height: after the last stage the
    frequency axis is folded by a convolution with a weight for every height that is left, and
    only time is pooled, by mean (how it was on the whole) and by maximum (its strongest moment).

    Input: float32 [N, 1, bands, frames], in the units of `Spectrogram.features`.
    Output: logits float32 [N, classes].
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
        self.head = nn.Linear(2 * inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """float32 [N, 1, bands, frames] -> logits [N, classes]."""
        moments = self.fold(self.stages(self.stem(x)))
        pooled = torch.cat([moments.mean(dim=(2, 3)), moments.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits
