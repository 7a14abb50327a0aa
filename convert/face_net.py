"""The face net: a small plain residual CNN, written in PyTorch, exported to int8."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016), the first with *stride*."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """float32 [N, inputs, H, W] -> [N, outputs, ceil(H/stride), ceil(W/stride)]."""
        out: Tensor = torch.relu(self.body(x) + self.shortcut(x))
        return out


class FaceNet(nn.Module):
    """Grey crop -> logits of the seven emotions.

    Input: float32 [N, 1, H, W] with values (grey - 128) / 128, H and W about 48.
    Output: logits float32 [N, classes].
    """

    def __init__(
        self, widths: Sequence[int], blocks: Sequence[int], dropout: float, classes: int
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        inputs = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(Residual(inputs, width, stride))
                inputs = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """float32 [N, 1, H, W] -> logits [N, classes]."""
        features = self.stages(self.stem(x)).mean(dim=(2, 3))
        logits: Tensor = self.head(self.dropout(features))
        return logits
