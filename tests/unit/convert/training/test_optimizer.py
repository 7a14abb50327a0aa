import pytest

torch = pytest.importorskip("torch")

from convert.training.optimizer import Muon, make_optimizers, orthogonalize  # noqa: E402


@pytest.mark.parametrize("shape", [(4, 30), (30, 4), (8, 8)])
def test_orthogonalized_step_moves_every_direction_about_alike(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randn(shape, generator=generator) * torch.linspace(0.3, 3, shape[1])
    values = torch.linalg.svdvals(orthogonalize(matrix))
    spread_before = torch.linalg.svdvals(matrix)
    assert values.max() < 1.4
    assert values.max() / values.min() < 0.8 * spread_before.max() / spread_before.min()


def test_only_convolutions_are_orthogonalized_and_norms_do_not_decay() -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2)
    )
    muon, rest = make_optimizers(net, "muon", 0.03, 0.05)
    assert isinstance(muon, Muon)
    assert [tuple(p.shape) for p in muon.param_groups[0]["params"]] == [(4, 1, 3, 3)]
    decayed, plain = rest.param_groups
    assert all(p.ndim == 2 for p in decayed["params"])
    assert plain["weight_decay"] == 0
    taken = [p for each in (muon, rest) for group in each.param_groups for p in group["params"]]
    assert len(taken) == len(list(net.parameters()))
