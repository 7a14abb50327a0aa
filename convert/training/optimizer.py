"""The optimiser of both nets: orthogonalised momentum for convolutions, plain SGD for the rest."""

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn

_NEWTON_SCHULZ: Final = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration that Jordan et al. (2024) found to converge fastest."""
_ITERATIONS: Final = 3
"""Singular values end within about 0.7 to 1.2, which is orthogonal enough for a step."""


class Muon(torch.optim.Optimizer):
    """SGD whose step of each convolution is its momentum made orthogonal (Jordan et al. 2024).

    A convolution [out, in, h, w] is taken as the matrix [out, in*h*w]. Every direction of the step
    gets the same length, so that rare features learn as fast as common ones; on this data a net
    gets as far as with SGD in clearly fewer epochs.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, momentum: float, weight_decay: float
    ) -> None:
        """Take parameters of two or more axes; *weight_decay* is decoupled (times the rate)."""
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Any = None) -> None:
        """One step along the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
                looking_ahead = parameter.grad.add(momentum, alpha=group["momentum"])
                matrix = looking_ahead.flatten(1)
                stretch = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
                step = orthogonalize(matrix).view(parameter.shape)
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(step, alpha=-group["lr"] * stretch)


def orthogonalize(matrix: Tensor) -> Tensor:
    """The nearest half-orthogonal matrix, roughly: all singular values of [m, n] become about 1."""
    a, b, c = _NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def make_optimizers(
    net: nn.Module, kind: str, rate: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """The optimisers of *net*; only weights, never biases and norms, decay.

    kind: "sgd", or "muon" for the convolutions, with SGD for the heads, biases and norms.
    """
    convolutions = [p for p in net.parameters() if p.ndim > 2]
    matrices = [p for p in net.parameters() if p.ndim == 2]
    plain = [p for p in net.parameters() if p.ndim < 2]
    if kind == "muon":
        rest = [{"params": matrices, "weight_decay": 5e-4}, {"params": plain}]
        return [
            Muon(convolutions, rate, 0.9, weight_decay),
            torch.optim.SGD(rest, lr=0.1, momentum=0.9, nesterov=True),
        ]
    groups = [{"params": convolutions + matrices, "weight_decay": weight_decay}, {"params": plain}]
    return [torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)]
