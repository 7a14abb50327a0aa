"""The block that both nets are built of, in PyTorch."""

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016), the first with *stride*.

    smooth: where the stride is 2, average pixels for the shortcut instead of skipping three of
    four (He et al. 2019). separable: each 3x3 convolution is a depth-wise and a 1x1 one (Howard et
    al. 2017).
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, smooth: bool = False, separable: bool = False
    ) -> None:
        super().__init__()
        convolution = _separable if separable else _plain
        self.body = nn.Sequential(
            *convolution(inputs, outputs, stride),
            nn.ReLU(inplace=True),
            *convolution(outputs, outputs, 1),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            pooled = smooth and stride == 2
            pool: list[nn.Module] = [nn.AvgPool2d(2, 2, ceil_mode=True)] if pooled else []
            self.shortcut = nn.Sequential(
                *pool,
                nn.Conv2d(inputs, outputs, 1, 1 if pooled else stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        """float32 [N, inputs, H, W] -> [N, outputs, ceil(H/stride), ceil(W/stride)]."""
        out: Tensor = torch.relu(self.body(x) + self.shortcut(x))
        return out


def _plain(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def _separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    ]
