import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.diagnostics.photograph import LARGEST_PX, read_photo
from edge.errors import SensorError

RAMP = np.tile(np.arange(256, dtype=np.uint8), (32, 1))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("16.png", RAMP.astype(np.uint16) * 257),
        ("16.tif", RAMP.astype(np.uint16) * 257),
        ("12 in 16.tif", RAMP.astype(np.uint16) * 16),
        ("32.tif", RAMP.astype(np.int32) * 257),
        ("signed.tif", RAMP.astype(np.int32) * 1000 - 90_000),
        ("to 1.tif", (RAMP / 255).astype(np.float32)),
        ("to 255.tif", RAMP.astype(np.float32)),
        ("stretched.tif", (RAMP * 1e6).astype(np.float32)),
    ],
)
def test_grey_of_any_depth_looks_as_that_of_eight_bits(
    tmp_path: Path, name: str, values: NDArray[Any]
) -> None:
    Image.fromarray(values).save(tmp_path / name)
    image = read_photo(tmp_path / name).image
    assert np.abs(image.astype(int) - RAMP[..., None]).max() <= 2


def test_what_is_no_number_is_black(tmp_path: Path) -> None:
    values = (RAMP / 255).astype(np.float32)
    values[0, :3] = [np.nan, np.inf, -np.inf]
    Image.fromarray(values).save(tmp_path / "f.tif")
    image = read_photo(tmp_path / "f.tif").image
    assert image[0, 0].tolist() == image[0, 2].tolist() == [0, 0, 0]
    assert np.abs(image[1:].astype(int) - RAMP[1:, :, None]).max() <= 2


def test_a_huge_picture_and_damaged_exif_are_read_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow warns from here, and refuses soon
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (90, 60)).save(tmp_path / "a.jpg", exif=exif)
    content = (tmp_path / "a.jpg").read_bytes()
    at = content.index(b"Exif") + 6
    for number, damage in enumerate(
        (b"\xff" * 8, b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff")
    ):
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(content[:at] + damage + content[at + len(damage) :])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_photo(file).image.shape == (60, 90, 3)
    assert capfd.readouterr() == ("", "")
    assert Image.MAX_IMAGE_PIXELS == 100


def test_a_jpeg_of_more_pixels_than_pillow_takes_is_read_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000_000)
    Image.new("L", (14_000, 3_500), 90).save(tmp_path / "huge.jpg")
    image = read_photo(tmp_path / "huge.jpg").image
    assert image.shape == (LARGEST_PX // 4, LARGEST_PX, 3)
    assert abs(int(image.mean()) - 90) <= 1


def test_what_does_not_fit_into_memory_is_refused_with_the_reason(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 14_000, 14_000, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b"\0")]
    content = b"".join(
        struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each))
        for each in chunks
    )
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with pytest.raises(SensorError, match=r"14,000 x 14,000 pixels .* 588 MB .* scale it down"):
        read_photo(tmp_path / "huge.png")


def test_a_pipe_and_a_device_are_no_pictures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file, kind in ((tmp_path / "pipe", "a pipe"), (Path("/dev/zero"), "a device")):
        with pytest.raises(SensorError, match=f"it is {kind}"):
            read_photo(file)
