import pytest

torch = pytest.importorskip("torch")

from convert.face.net import FaceNet, grow  # noqa: E402

WIDTHS = (8, 12, 16)


def trained(blocks: tuple[int, ...], separable: bool = False) -> FaceNet:
    """A net whose norms have seen data, as after training."""
    torch.manual_seed(1)
    net = FaceNet(WIDTHS, blocks, 0.0, separable)
    for _ in range(3):
        net(torch.rand(8, 1, 48, 48))
    net.eval()
    return net


@pytest.mark.parametrize("separable", [False, True])
def test_grown_net_answers_as_the_one_that_it_grew_from(separable: bool) -> None:
    small = trained((1, 2, 1), separable)
    torch.manual_seed(2)
    large = FaceNet(WIDTHS, (2, 3, 1), 0.0, separable)
    grow(small, large)
    large.eval()
    crops = torch.rand(4, 1, 48, 48)
    for mine, theirs in zip(large(crops)[:3], small(crops)[:3], strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


def test_further_blocks_of_a_grown_net_learn() -> None:
    large = FaceNet(WIDTHS, (2, 1, 1), 0.0)
    grow(trained((1, 1, 1)), large)
    last_norm = large.stages[1].body[-1]
    assert not last_norm.weight.any()
    large(torch.rand(4, 1, 48, 48)).fer2013.square().sum().backward()
    assert last_norm.weight.grad.any()
