"""One training loop for both nets: rising, holding and falling rate, weight averaging, resuming."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from convert.atomic_files import written_whole
from convert.errors import RecipeError
from convert.training.optimizer import make_optimizers
from edge.process.printable import printable

Batches = Callable[[int, nn.Module], Iterable[tuple[Tensor, Any]]]
"""Epoch number and averaged net -> (input, targets) pairs, already on the device."""
Loss = Callable[[Any, Any], Tensor]
"""Outputs of the net and targets -> mean loss of the batch."""
History = list[dict[str, float]]
"""Per epoch: `epoch` (from 1), `loss`, and what the validation gives."""


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train.

    The rate rises for `rising_epochs`, holds, and falls in a line to zero over the last
    `falling_epochs` (Hägele et al. 2024). While it holds, a run can be made longer: a checkpoint
    from before the fall goes on under a greater `epochs`.
    """

    epochs: int
    steps_per_epoch: int
    peak_rate: float
    weight_decay: float
    average_decay: float
    rising_epochs: int = 2
    falling_epochs: int = 10
    optimiser: str = "sgd"
    """Spelt as in recipes and in the checkpoints that are about."""
    precision: str = "float32"
    """Or "bfloat16": what the net computes in; its loss and its weights stay in float32."""

    def factor(self, step: int) -> float:
        """What the peak rate is multiplied by at *step*, 0 to 1."""
        position = step / self.steps_per_epoch
        rising = (position + 1 / self.steps_per_epoch) / max(self.rising_epochs, 1e-9)
        falling = (self.epochs - position) / max(self.falling_epochs, 1e-9)
        return max(0.0, min(1.0, rising, falling))

    def continues(self, other: dict[str, Any], done: int) -> bool:
        """Whether *done* epochs under the schedule *other* are the beginning of this one."""
        mine, other = asdict(self), {"precision": "float32"} | other
        if mine == other:
            return True
        holding = done <= min(
            self.epochs - self.falling_epochs, other["epochs"] - other["falling_epochs"]
        )
        for free in ("epochs", "falling_epochs"):
            mine[free] = other[free]
        return holding and mine == other


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of logits [N, C] against soft targets [N, C]."""
    return -(target * torch.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


def train(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    schedule: Schedule,
    validate: Callable[[nn.Module], dict[str, float]],
    checkpoint: Path,
    stop_after: int = 0,
) -> tuple[nn.Module, History]:
    """Train *net* and return its averaged copy and the history.

    stop_after: end after so many epochs, wherever the rate is by then; 0 = after all of them.

    Progress is saved to *checkpoint* after every epoch; a run that finds one goes on from there.
    The state just before the rate falls is kept beside it (`.holding.pt`): whoever wants to train
    longer goes on from that one.

    Raises:
        RecipeError: the checkpoint was made by another recipe or net, or is damaged.
    """
    average = torch.optim.swa_utils.AveragedModel(
        net,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(schedule.average_decay),
        use_buffers=True,
    )
    optimizers = make_optimizers(net, schedule.optimiser, schedule.peak_rate, schedule.weight_decay)
    peaks = [[group["lr"] for group in each.param_groups] for each in optimizers]
    history: History = []
    half = schedule.precision == "bfloat16"
    if checkpoint.is_file():
        try:
            state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
            continues = schedule.continues(state["schedule"], len(state["history"]))
            if continues:
                net.load_state_dict(state["net"])
                average.load_state_dict(state["average"])
                for optimizer, saved in zip(optimizers, state["optimisers"], strict=True):
                    optimizer.load_state_dict(saved)
                history = state["history"]
                torch.set_rng_state(state["random"])
        except Exception as error:  # reading something else as one may end with any
            raise RecipeError(
                f"{checkpoint} is damaged or of another net: move it away to start afresh."
            ) from error
        if not continues:
            raise RecipeError(
                f"{checkpoint} is of another recipe: move it away to start afresh, or put "
                f"{checkpoint.with_suffix('.holding.pt').name} in its place to train longer."
            )
        print(f"going on from epoch {len(history)} of {printable(checkpoint)}", flush=True)
    for epoch in range(len(history), stop_after or schedule.epochs):
        mean_loss = 0.0
        net.train()
        inputs_and_targets = batches(epoch, average.module)
        bar = tqdm(
            inputs_and_targets,
            total=schedule.steps_per_epoch,
            desc=f"epoch {epoch + 1} of {schedule.epochs}",
            leave=False,
            mininterval=1,
        )
        for step, (inputs, targets) in enumerate(bar):
            factor = schedule.factor(epoch * schedule.steps_per_epoch + step)
            for optimizer, rates in zip(optimizers, peaks, strict=True):
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * factor
                optimizer.zero_grad(set_to_none=True)
            with torch.autocast(inputs.device.type, torch.bfloat16, enabled=half):
                outputs = net(inputs)
            batch_loss = loss(outputs, targets)
            batch_loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 4.0)
            for optimizer in optimizers:
                optimizer.step()
            average.update_parameters(net)
            mean_loss += float(batch_loss.detach()) / schedule.steps_per_epoch
        row = {"epoch": float(epoch + 1), "loss": mean_loss, **validate(average.module)}
        history.append(row)
        said = ", ".join(f"{name} {value:.4f}" for name, value in list(row.items())[1:])
        tqdm.write(f"epoch {epoch + 1}: {said}")
        state = {
            "schedule": asdict(schedule),
            "net": net.state_dict(),
            "average": average.state_dict(),
            "optimisers": [optimizer.state_dict() for optimizer in optimizers],
            "history": history,
            "random": torch.get_rng_state(),
        }
        _save(state, checkpoint)
        if epoch + 1 == schedule.epochs - schedule.falling_epochs:
            _save(state, checkpoint.with_suffix(".holding.pt"))
    return average.module.eval(), history


def _save(state: dict[str, Any], file: Path) -> None:
    with written_whole(file) as partial:
        torch.save(state, partial)
