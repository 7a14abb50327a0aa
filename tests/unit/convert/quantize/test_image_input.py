import numpy as np
import pytest
from PIL import Image

from convert.quantize.image_input import Layout, fit_image, image_layout


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 48, 64, 1), Layout(48, 64, 1, True)),
        ((1, 48, 64, 3), Layout(48, 64, 3, True)),
        ((1, 3, 48, 64), Layout(48, 64, 3, False)),
        ((1, 48, 64), Layout(48, 64, 1, True)),
        ((1, 7, 48, 64), None),
        ((1, 128), None),
    ],
)
def test_knows_where_an_image_lies(shape: tuple[int, ...], layout: Layout | None) -> None:
    assert image_layout(shape) == layout


def test_puts_colors_where_the_model_wants_them() -> None:
    image = Image.new("RGB", (20, 10), (255, 0, 51))
    last = fit_image(image, (1, 4, 6, 3), 0.0, 1.0)
    first = fit_image(image, (1, 3, 4, 6), 0.0, 1.0)
    assert last.shape == (1, 4, 6, 3) and first.shape == (1, 3, 4, 6)
    assert np.allclose(last[0, 2, 3], [1.0, 0.0, 0.2])
    assert np.allclose(first, last.transpose(0, 3, 1, 2))


def test_maps_black_and_white_to_the_ends_of_the_range() -> None:
    image = Image.fromarray(np.array([[0, 255]], np.uint8).repeat(2, 0))
    assert fit_image(image, (1, 2, 2, 1), -1.0, 1.0).ravel().tolist() == [-1, 1, -1, 1]
