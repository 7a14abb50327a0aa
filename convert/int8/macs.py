"""Counts the work of a net."""

import torch
from torch import Tensor, nn


def count_macs(net: nn.Module, example: Tensor) -> int:
    """Multiply-accumulates of the convolutions and linear layers for one *example* (batch 1)."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            per_value = module.weight[0].numel()
            total += output[0].numel() * per_value
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    handles = [module.register_forward_hook(count) for module in net.modules()]
    with torch.inference_mode():
        net.eval()(example)
    for handle in handles:
        handle.remove()
    return total
