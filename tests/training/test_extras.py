"""Landmarks go wherever the face goes: resized, cropped, mirrored, turned; and batches carry them."""

import numpy as np
import pytest
import torch
from small_method import painted_store

from openfer.errors import DataError, ParameterError
from openfer.faces.mirror import MIRROR
from openfer.io.face_store import Face, FaceStore, FaceStoreWriter
from openfer.training import batches
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import ConcatFaces, FaceDataset
from openfer.training.device import resolve
from openfer.training.recipe import fingerprint_of_faces

SIDE = 64
DISCS = {0: "red", 16: "green", 30: "blue"}
"""Points that are painted: a pair that a mirror exchanges, and one in the middle that it does not."""


def landmarks():
    """Sixty-eight points in the middle with confidences of their own; three of them painted."""
    points = np.full((68, 3), 32.0)
    points[:, 2] = np.arange(68) / 100
    points[0, :2], points[16, :2], points[30, :2] = (20.5, 24.5), (41.5, 30.5), (30.5, 44.5)
    return points


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One black face with a disc of four pixels' radius in a colour of its own at each painted point."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    down, across = np.mgrid[:SIDE, :SIDE] + 0.5
    for channel, number in enumerate(DISCS):
        x, y, _ = landmarks()[number]
        image[(across - x) ** 2 + (down - y) ** 2 < 16, channel] = 255
    folder = tmp_path_factory.mktemp("discs") / "store"
    with FaceStoreWriter(folder) as writer:
        for number in range(3):
            writer.add(Face(f"face{number}", image))
    return FaceStore(folder)


def dataset(store, training=True, rows=(0, 1, 2), **images):
    settings = ImageSettings.model_validate({"crop": 56, "flip": False} | images)
    extras = {"landmarks": np.stack([landmarks()] * len(rows))}
    return FaceDataset(store, np.array(rows), {}, settings, seed=3, training=training, extras=extras)


def painted(pixels):
    """Return the centre of each colour in pixels, centres of pixels at whole numbers plus one half, (3, 2)."""
    weights = pixels.double()
    down, across = torch.meshgrid(*(torch.arange(side) + 0.5 for side in pixels.shape[1:]), indexing="ij")
    whole = weights.sum((1, 2))
    return torch.stack([(weights * across).sum((1, 2)) / whole, (weights * down).sum((1, 2)) / whole], 1)


def places(sample, mirrored=False):
    numbers = [MIRROR[number] if mirrored else number for number in DISCS]
    return sample[2]["landmarks"][numbers]


def test_points_follow_a_random_crop(store):
    for epoch in range(8):
        sample = dataset(store)[epoch, 0]
        torch.testing.assert_close(places(sample)[:, :2].double(), painted(sample[0]), atol=1e-4, rtol=0)


def test_points_follow_a_centre_crop_of_a_resized_face(store):
    sample = dataset(store, training=False, size=48, crop=40)[0, 0]
    torch.testing.assert_close(places(sample)[:, :2].double(), painted(sample[0]), atol=0.1, rtol=0)
    assert sample[2]["landmarks"][32].tolist() == pytest.approx([32 * 0.75 - 4, 32 * 0.75 - 4, 0.32])


def test_points_follow_a_face_that_is_not_square(tmp_path):
    image = np.zeros((40, 80, 3), np.uint8)
    image[18:22, 58:62] = 255
    with FaceStoreWriter(tmp_path / "store") as writer:
        writer.add(Face("wide", image))
    points = np.full((1, 68, 3), (60.0, 20.0, 1.0))
    settings = ImageSettings(size=40, crop=40)
    wide = FaceDataset(
        FaceStore(tmp_path / "store"), np.zeros(1), {}, settings, 0, training=False, extras={"landmarks": points}
    )
    sample = wide[0, 0]
    centre = painted(sample[0])[0]
    torch.testing.assert_close(sample[2]["landmarks"][0, :2].double(), centre, atol=0.1, rtol=0)
    assert centre.tolist() == pytest.approx([30, 20], abs=0.1)


def test_a_mirrored_face_s_points_keep_their_meaning_and_their_confidence(store):
    data, straight = dataset(store, crop=64, flip=True), dataset(store, crop=64)[0, 0]
    flipped = [epoch for epoch in range(20) if not torch.equal(data[epoch, 0][0], straight[0])]
    assert 4 < len(flipped) < 16
    sample = data[flipped[0], 0]
    found = places(sample, mirrored=True)
    torch.testing.assert_close(found[:, :2].double(), painted(sample[0]), atol=1e-4, rtol=0)
    assert found[:, 2].tolist() == pytest.approx(
        [0.0, 0.16, 0.30]
    )  # the left point's score is at the right one's number
    assert sample[2]["landmarks"][16].tolist() == pytest.approx([64 - 20.5, 24.5, 0.0])


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "rotate_and_crop", "probability": 1, "degrees": 20, "padding": 0.05},
        {"kind": "affine", "degrees": 20, "translate": 0.05, "scale": [1.0, 1.2]},
        {"kind": "resized_crop", "share": [0.8, 1.0]},
        {"kind": "jitter"},
    ],
    ids=lambda step: step["kind"],
)
def test_points_follow_every_augmentation(store, step):
    data = dataset(store, augment=[step], crop=64)
    nearest = 0.45 if step["kind"] == "rotate_and_crop" else 0.1  # that rotation takes whole pixels
    moved = []
    for epoch in range(6):
        sample = data[epoch, 0]
        inside = places(sample)[:, :2].sub(32).abs().max() < 26  # so that no disc is cut off
        if inside:
            torch.testing.assert_close(places(sample)[:, :2].double(), painted(sample[0]), atol=nearest, rtol=0)
            moved.append(places(sample)[0, 0].item())
        assert sample[2]["landmarks"][:, 2].tolist() == pytest.approx((np.arange(68) / 100).tolist())
    assert len(moved) >= 2
    assert step["kind"] == "jitter" or len(set(moved)) > 1


def test_pixels_are_the_same_with_and_without_landmarks(store):
    images = {"flip": True, "augment": [{"kind": "rotate_and_crop", "probability": 0.7}, {"kind": "jitter"}]}
    seeing = dataset(store, **images)
    blind = FaceDataset(store, seeing.rows, {}, seeing.images, seed=3, training=True)
    for epoch in range(6):
        assert torch.equal(seeing[epoch, 1][0], blind[epoch, 1][0])
        assert blind[epoch, 1][2] == {}


def test_erasing_is_refused_where_points_would_stay_as_sure_as_before(store):
    with pytest.raises(ParameterError, match=r"images\.augment has erase, which covers landmarks"):
        dataset(store, augment=[{"kind": "erase"}])


def test_landmarks_of_another_number_are_refused(store):
    with pytest.raises(DataError, match="2 landmarks for 3 faces"):
        FaceDataset(
            store,
            np.arange(3),
            {},
            ImageSettings(crop=64),
            0,
            training=False,
            extras={"landmarks": np.zeros((2, 68, 3))},
        )


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_carry_the_extras_of_their_samples(store, workers):
    both = ConcatFaces([dataset(store, rows=(0, 1)), dataset(store, rows=(2,))])
    assert both.extras["landmarks"].shape == (3, 68, 3)
    keys = batches.testing_batches(both, 3)
    (batch,) = batches.Loader(both, resolve(TrainingConfig(device="cpu", workers=workers))).batches(keys)
    assert batch.extras["landmarks"].dtype == torch.float32
    for place, key in enumerate(keys[0]):
        assert torch.equal(batch.extras["landmarks"][place], both[key][2]["landmarks"])


def test_batches_of_a_method_without_extras_have_none(tmp_path):
    data = FaceDataset(painted_store(tmp_path / "s"), np.arange(4), {}, ImageSettings(crop=20), seed=0, training=True)
    (batch,) = batches.Loader(data, resolve(TrainingConfig(device="cpu"))).batches(batches.testing_batches(data, 4))
    assert batch.extras == {}


def test_other_landmarks_are_another_training(store):
    one, other = dataset(store), dataset(store)
    other.extras["landmarks"][1, 5, 2] = 0.5
    assert fingerprint_of_faces(one) != fingerprint_of_faces(other)
