"""One training loop for both nets: one-cycle SGD, weight averaging, checkpoints that resume."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

Batches = Callable[[int], Iterable[tuple[Tensor, Tensor]]]
"""Epoch number -> (input, soft target [N, 7]) pairs, already on the device."""


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train."""

    epochs: int
    steps_per_epoch: int
    peak_rate: float
    weight_decay: float
    average_decay: float
    warm_up: float = 0.2
    """Share of all steps spent raising the rate to its peak."""

    def rate(self, step: int) -> float:
        """Learning rate of one step: a cosine up, then a cosine down to zero (Smith 2018)."""
        total = self.epochs * self.steps_per_epoch
        rising = max(1, int(total * self.warm_up))
        if step < rising:
            return self.peak_rate * (0.04 + 0.96 * (1 - math.cos(math.pi * step / rising)) / 2)
        return (
            self.peak_rate * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising))) / 2
        )


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of logits [N, C] against soft targets [N, C]."""
    return -(target * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


def train(
    net: nn.Module,
    batches: Batches,
    schedule: Schedule,
    validate: Callable[[nn.Module], float],
    checkpoint: Path,
) -> tuple[nn.Module, list[dict[str, float]]]:
    """Train *net* and return its averaged copy and the history, one row an epoch.

    Progress is saved to *checkpoint* after every epoch; a run that finds one goes on from there.
    """
    average = torch.optim.swa_utils.AveragedModel(
        net,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(schedule.average_decay),
        use_buffers=True,
    )
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": schedule.weight_decay}, {"params": plain}],
        lr=schedule.peak_rate,
        momentum=0.9,
        nesterov=True,
    )
    history: list[dict[str, float]] = []
    if checkpoint.is_file():
        state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
        if state["schedule"] != asdict(schedule):
            raise SystemExit(f"{checkpoint} is of another recipe: move it away to start afresh.")
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        history = state["history"]
        torch.set_rng_state(state["random"])
        print(f"going on from epoch {len(history)} of {checkpoint}")
    for epoch in range(len(history), schedule.epochs):
        loss = _one_epoch(net, average, optimiser, batches(epoch), schedule, epoch)
        row = {"epoch": float(epoch + 1), "loss": loss, "validation": validate(average.module)}
        history.append(row)
        tqdm.write(f"epoch {epoch + 1}: loss {loss:.4f}, validation {row['validation']:.4f}")
        state = {
            "schedule": asdict(schedule),
            "net": net.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "history": history,
            "random": torch.get_rng_state(),
        }
        partial = checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(checkpoint)
    return average.module.eval(), history


def _one_epoch(
    net: nn.Module,
    average: "torch.optim.swa_utils.AveragedModel",
    optimiser: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    schedule: Schedule,
    epoch: int,
) -> float:
    net.train()
    total = 0.0
    bar = tqdm(batches, total=schedule.steps_per_epoch, desc=f"epoch {epoch + 1}", leave=False)
    for step, (inputs, target) in enumerate(bar):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(epoch * schedule.steps_per_epoch + step)
        loss = cross_entropy(net(inputs), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        average.update_parameters(net)
        total += float(loss.detach())
    return total / schedule.steps_per_epoch
