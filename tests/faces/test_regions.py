"""The parts of an aligned face: they lie where the landmarks of rendered faces are."""

import numpy as np
import pytest

from openfer.faces.regions import REGIONS, region_masks

POINTS = {"brows": range(17, 27), "eyes": range(36, 48), "nose": range(29, 36), "mouth": range(48, 68)}


@pytest.mark.parametrize(("size", "crop"), [(72, 64), (64, 64), (256, 224)])
def test_parts_share_no_pixel_and_cover_the_crop(size, crop):
    masks = region_masks(size, crop)
    assert tuple(masks) == REGIONS
    assert (sum(mask.astype(int) for mask in masks.values()) == 1).all()
    assert all(mask.any() for mask in masks.values())


def test_landmarks_of_a_part_lie_in_its_box_more_often_than_anywhere_else(tiny_faces):
    points = np.stack(tiny_faces.store.table(["points68"])["points68"].tolist()).reshape(-1, 68, 2)
    masks = region_masks(64, 64)
    places = points.round().astype(int).clip(0, 63)
    for part, which in POINTS.items():
        own = places[:, list(which)].reshape(-1, 2)
        shares = {name: mask[own[:, 1], own[:, 0]].mean() for name, mask in masks.items()}
        assert max(shares, key=shares.__getitem__) == part, shares
        assert shares[part] > 0.55, shares
