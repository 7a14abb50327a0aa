from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from convert.errors import RecipeError  # noqa: E402
from convert.training.loop import Schedule, cross_entropy, train  # noqa: E402

SCHEDULE = Schedule(
    epochs=4,
    steps_per_epoch=5,
    peak_rate=0.05,
    weight_decay=1e-3,
    average_decay=0.5,
    rising_epochs=1,
    falling_epochs=2,
)


def batches(epoch: int, _: object) -> Iterator[tuple[object, object]]:
    generator = torch.Generator().manual_seed(epoch)
    for _step in range(SCHEDULE.steps_per_epoch):
        inputs = torch.randn(8, 6, generator=generator)
        yield inputs, torch.nn.functional.one_hot((inputs[:, 0] > 0).long(), 2).float()


def new_net() -> Any:
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 2, 3)),
        torch.nn.Conv2d(1, 4, 2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 2),
    )


def run(schedule: Schedule, checkpoint: Path) -> tuple[Any, list[dict[str, float]]]:
    return train(new_net(), batches, cross_entropy, schedule, lambda net: {"ok": 1.0}, checkpoint)


def weights(net: Any) -> Any:
    return torch.cat([each.detach().flatten() for each in net.parameters()]).numpy()


def test_rate_rises_holds_and_falls_to_zero() -> None:
    factors = [SCHEDULE.factor(step) for step in range(20)]
    assert factors[0] == pytest.approx(0.2)
    assert factors[4:10] == [1.0] * 6
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.15
    assert SCHEDULE.factor(20) == 0


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_learns(tmp_path: Path, precision: str) -> None:
    net, history = run(replace(SCHEDULE, epochs=12, precision=precision), tmp_path / "net.pt")
    assert {each.dtype for each in net.parameters()} == {torch.float32}
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    assert [row["epoch"] for row in history] == list(range(1, 13))


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path, optimizer: str) -> None:
    schedule = replace(SCHEDULE, optimiser=optimizer)
    whole, _ = run(schedule, tmp_path / "whole.pt")

    def stopping(epoch: int, average: object) -> Iterator[tuple[object, object]]:
        if epoch == 3:
            raise KeyboardInterrupt
        yield from batches(epoch, average)

    with pytest.raises(KeyboardInterrupt):
        train(new_net(), stopping, cross_entropy, schedule, lambda _: {}, tmp_path / "parts.pt")
    parts, history = run(schedule, tmp_path / "parts.pt")
    np.testing.assert_allclose(weights(parts), weights(whole), rtol=1e-6)
    assert len(history) == 4


def test_run_can_be_made_longer_before_the_rate_falls(tmp_path: Path) -> None:
    run(SCHEDULE, tmp_path / "net.pt")
    longer = replace(SCHEDULE, epochs=7, falling_epochs=3)
    with pytest.raises(RecipeError, match=r"another recipe.*net.holding.pt"):
        run(longer, tmp_path / "net.pt")
    (tmp_path / "net.holding.pt").replace(tmp_path / "net.pt")
    _, history = run(longer, tmp_path / "net.pt")
    assert len(history) == 7


def test_run_that_stops_early_is_the_beginning_of_the_whole_one(tmp_path: Path) -> None:
    file, schedule = tmp_path / "net.pt", SCHEDULE
    _, early = train(new_net(), batches, cross_entropy, schedule, lambda _: {}, file, stop_after=3)
    _, whole = train(
        new_net(), batches, cross_entropy, schedule, lambda _: {}, tmp_path / "whole.pt"
    )
    assert early == whole[:3]


def test_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    run(SCHEDULE, tmp_path / "net.pt")
    with pytest.raises(RecipeError, match="another recipe"):
        run(replace(SCHEDULE, peak_rate=0.01), tmp_path / "net.pt")
    assert not SCHEDULE.continues(asdict(replace(SCHEDULE, epochs=9)), 3)


@pytest.mark.parametrize("content", [b"", b"text", b"half", b"other"])
def test_damaged_checkpoint_and_one_of_another_net_are_refused(
    content: bytes, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "net.pt"
    run(SCHEDULE, checkpoint)
    if content == b"half":
        content = checkpoint.read_bytes()[:900]
    elif content == b"other":
        state = torch.load(checkpoint, weights_only=True)
        state["net"].popitem()
        torch.save(state, checkpoint)
        content = checkpoint.read_bytes()
    checkpoint.write_bytes(content)
    with pytest.raises(RecipeError, match="damaged or of another net: move it away"):
        run(SCHEDULE, checkpoint)
    assert checkpoint.read_bytes() == content
