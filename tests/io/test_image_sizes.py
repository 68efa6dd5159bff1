"""Images are shrunk in proportion, coordinates follow, and a JPEG has Pillow's pixels however it is decoded."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.io.test_images import FORMATS, encoded, picture

from openfer.io.images import UnreadableImageError, read_image


@pytest.mark.parametrize("name", FORMATS)
def test_shrinking_keeps_the_proportions(name: str) -> None:
    source = read_image(encoded(picture(300, 500), name), max_side=100)
    assert source.pixels.shape == (60, 100, 3)
    assert source.scale == (0.2, 0.2)


def test_an_image_that_is_small_enough_is_not_resampled() -> None:
    for name in ("PNG", "JPEG"):
        content = encoded(picture(), name)
        assert np.array_equal(read_image(content, max_side=53).pixels, read_image(content).pixels)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("width", [1600, 1601, 1607, 3001])
def test_coordinates_are_mapped_back_through_the_scale(width: int, orientation: int) -> None:
    """Red grows with x: its value tells which column of the original a shrunk pixel shows."""
    ramp = np.zeros((701, width, 3), np.uint8)
    ramp[..., 0] = np.round(250 * (np.arange(width) + 0.5) / width)
    exif = Image.Exif()
    exif[274] = orientation
    source = read_image(encoded(ramp, "JPEG", quality=95, exif=exif), max_side=97)
    assert max(source.pixels.shape) == 97
    upright = read_image(encoded(ramp, "JPEG", quality=95, exif=exif))
    x = ((np.arange(source.pixels.shape[1]) + 0.5) / source.scale[0]).astype(int)
    y = ((np.arange(source.pixels.shape[0]) + 0.5) / source.scale[1]).astype(int)
    shown = upright.pixels[np.ix_(y, x)][..., 0].astype(int)
    assert np.abs(source.pixels[..., 0] - shown).max() <= 3


@pytest.mark.parametrize("subsampling", [0, 1, 2, "4:1:1"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_has_the_pixels_that_pillow_gives_whole_or_not(subsampling: int | str, progressive: bool) -> None:
    y, x = np.mgrid[:133, :97]
    picture = Image.fromarray(np.stack([x * 2, y, x * y % 255], axis=-1).astype(np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=75, subsampling=subsampling, progressive=progressive, exif=b"")
    whole = buffer.getvalue()
    for content in (whole, whole + b"more", whole[:2] + b"\xff\xfe\x00\x04hi" + whole[2:]):
        with Image.open(io.BytesIO(content)) as expected:
            assert np.array_equal(read_image(content).pixels, np.asarray(expected))
    with pytest.raises(UnreadableImageError, match="truncated JPEG"):
        read_image(whole[: len(whole) // 2])
