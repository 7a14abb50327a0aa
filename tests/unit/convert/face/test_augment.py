from typing import Any

import pytest

torch = pytest.importorskip("torch")

from convert.face.augment import blend_pairs, plain_views, random_views  # noqa: E402


def faces(count: int) -> Any:
    generator = torch.Generator().manual_seed(4)
    small = torch.randint(0, 256, (count, 1, 6, 6), generator=generator).float()
    large = torch.nn.functional.interpolate(small, size=(48, 48), mode="bilinear")
    return large.to(torch.uint8)


@pytest.mark.parametrize("size_px", [36, 48])
def test_views_have_the_asked_size_and_the_devices_range(size_px: int) -> None:
    views = random_views(faces(64), size_px, torch.Generator().manual_seed(0))
    assert views.shape == (64, 1, size_px, size_px)
    assert views.min() >= -1
    assert views.max() <= 127 / 128
    assert torch.isfinite(views).all()


def test_same_seed_gives_the_same_views_and_another_seed_others() -> None:
    first, again, other = (
        random_views(faces(32), 40, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_view_still_shows_its_face() -> None:
    gray = faces(256)
    views = random_views(gray, 48, torch.Generator().manual_seed(3)).flatten(1)
    plain = plain_views(gray)
    either = torch.stack([plain.flatten(1), plain.flip(3).flatten(1)])

    def alike(a: Any, b: Any) -> Any:
        a, b = a - a.mean(dim=-1, keepdim=True), b - b.mean(dim=-1, keepdim=True)
        return (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1) + 1e-6)

    own = alike(views, either).amax(dim=0).median()
    foreign = alike(views, either.roll(1, dims=1)).amax(dim=0).median()
    assert own > foreign + 0.15


def test_some_images_are_nearly_dark_and_most_are_not() -> None:
    views = random_views(faces(512), 48, torch.Generator().manual_seed(5))
    brightest = views.flatten(1).quantile(0.95, dim=1)
    assert 0.02 < float((brightest < -0.4).float().mean()) < 0.25


def test_wide_views_are_darker_coarser_and_in_range() -> None:
    gray = faces(512)
    narrow, wide = (
        random_views(gray, 48, torch.Generator().manual_seed(6), wide=each)
        for each in (False, True)
    )
    assert wide.min() >= -1 and wide.max() <= 127 / 128

    def dark(views: Any) -> float:
        return float((views.flatten(1).quantile(0.95, dim=1) < -0.8).float().mean())

    def fine(views: Any) -> float:
        return float((views[..., 1:] - views[..., :-1]).abs().flatten(1).mean(dim=1).quantile(0.1))

    assert dark(wide) > dark(narrow) + 0.03
    assert fine(wide) < fine(narrow)


def test_blended_pairs_blend_image_and_target_alike() -> None:
    views = torch.arange(40.0).view(40, 1, 1, 1).expand(40, 1, 2, 2)
    target = torch.arange(40.0)[:, None] / 40
    blended, (targets,) = blend_pairs(views, (target,), 0.5, torch.Generator().manual_seed(0))
    assert torch.allclose(blended[:, 0, 0, 0] / 40, targets[:, 0], atol=1e-5)
    changed = (targets != target).float().mean()
    assert 0.2 < changed < 0.8
    untouched, _ = blend_pairs(views, (target,), 0.0, torch.Generator().manual_seed(0))
    assert torch.equal(untouched, views)


def test_mild_views_stay_closer_to_the_image() -> None:
    gray = faces(256)
    plain = plain_views(gray)
    either = torch.stack([plain, plain.flip(3)])
    apart = [
        (random_views(gray, 48, torch.Generator().manual_seed(6), strength) - either)
        .abs()
        .mean(dim=(2, 3, 4))
        .amin(dim=0)
        .median()
        for strength in (0.0, 0.4, 1.0)
    ]
    assert apart[0] < 0.01
    assert 1.5 * apart[1] < apart[2]
