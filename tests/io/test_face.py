import io

import numpy as np
import pytest
from PIL import Image

from openfer.errors import DataError
from openfer.io.face import Face, decode, encode


def image_file(pixels: np.ndarray, kind: str = "JPEG", mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def by_pillow(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (45, 61, 3), np.uint8)


@pytest.mark.parametrize("side", [33, 48, 64])
def test_stored_jpeg_has_the_pixels_that_pillow_decodes(tiny_faces, side: int) -> None:
    for row in range(len(tiny_faces.store)):
        crop = np.asarray(Image.fromarray(tiny_faces.store.image(row)).resize((side, side)))
        content = encode(Face("a", crop, encoding="jpeg")).content
        assert np.array_equal(decode(content), by_pillow(content))


def test_png_keeps_every_pixel(noise: np.ndarray) -> None:
    assert np.array_equal(decode(encode(Face("a", noise, encoding="png")).content), noise)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("JPEG", "RGB", {"subsampling": "4:2:0"}),
        ("JPEG", "RGB", {"subsampling": "4:2:2", "progressive": True}),
        ("PNG", "P", {}),
        ("PNG", "L", {}),
    ],
)
def test_images_that_others_encoded_have_the_pixels_that_pillow_decodes(
    noise: np.ndarray, kind: str, mode: str, options: dict
) -> None:
    content = image_file(noise, kind, mode, **options)
    pixels = decode(content)
    assert pixels.shape == noise.shape
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert np.array_equal(pixels, by_pillow(content))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_image_is_refused_with_its_size(noise: np.ndarray, kind: str, share: float) -> None:
    content = image_file(noise, kind)
    part = content[: int(len(content) * share)]
    with pytest.raises(DataError, match=rf"^{len(part)} bytes, \w"):
        decode(part)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff", image_file(np.zeros((4, 4, 3), np.uint8), "GIF")])
def test_what_is_neither_jpeg_nor_png_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=rf"^{len(content)} bytes, \w"):
        decode(content)


def test_a_header_that_claims_gigabytes_is_refused_before_decoding(noise: np.ndarray) -> None:
    content = bytearray(image_file(noise))
    sides = content.index(b"\xff\xc0") + 5
    content[sides : sides + 4] = (65_000).to_bytes(2, "big") * 2
    with pytest.raises(DataError, match="its header claims 65000 x 65000 pixels"):
        decode(bytes(content))
