import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from openfer.faces.perceptual_hash import perceptual_hash
from openfer.protocols.config import DatasetProtocol


def scene(seed, size=128):
    """A smooth picture with some structure at every scale."""
    generator = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8)).resize(
                (size, size), Image.Resampling.BICUBIC
            ),
            dtype=float,
        )
        / cells**0.5
        for cells in (3, 6, 12, 24)
    ]
    whole = sum(layers)
    return (whole / whole.max() * 220).astype(np.uint8)


def compressed(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=30)
    return np.asarray(Image.open(stream))


def resized(image):
    return np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR))


def brightened(image):
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(image)).enhance(1.15))


def apart(one, other):
    return (int(perceptual_hash(one), 16) ^ int(perceptual_hash(other), 16)).bit_count()


RADIUS = DatasetProtocol().near_duplicate_bits


@pytest.mark.parametrize("change", [compressed, resized, brightened])
def test_a_copy_is_within_the_default_radius(change):
    assert all(apart(scene(seed), change(scene(seed))) <= RADIUS for seed in range(10))


def test_other_pictures_are_far_beyond_the_default_radius():
    pictures = [scene(seed) for seed in range(12)]
    assert min(apart(one, other) for place, one in enumerate(pictures) for other in pictures[:place]) > 3 * RADIUS


def test_the_rim_counts_less_than_the_middle():
    rim, middle = scene(0), scene(0)
    rim[:, :16] = 0
    middle[:, 56:72] = 0
    assert apart(scene(0), rim) < apart(scene(0), middle)


def test_a_hash_has_64_digits_and_a_blank_crop_has_one_too():
    assert len(perceptual_hash(scene(0))) == 64
    assert perceptual_hash(np.full((48, 48, 3), 90, np.uint8)) == "0" * 64
