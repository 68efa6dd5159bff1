"""Every augmentation on a rendered face: what it changes, what it leaves, and who decides its draws."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from small_method import faces, painted_store

from openfer.methods.contract import AllSamples
from openfer.training.augmentation import Augmenter
from openfer.training.batches import Loader, normalise, training_batches
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import FaceDataset
from openfer.training.device import resolve
from openfer.training.sampling import Sampler

KINDS = ("rotate_and_crop", "erase", "jitter", "affine", "resized_crop")


def settings(*steps, **others):
    return ImageSettings.model_validate({"crop": 64, "augment": list(steps)} | others)


def augment(pixels, *steps, seed=0, **others):
    return Augmenter(settings(*steps, **others))(pixels, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def face(tiny_faces):
    return torch.from_numpy(np.ascontiguousarray(tiny_faces.store.image(0).transpose(2, 0, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_draw_gives_the_same_face_and_another_draw_another(face, kind):
    always = {} if kind in ("jitter", "affine", "resized_crop") else {"probability": 1}
    one, again, other = (augment(face, {"kind": kind} | always, seed=seed) for seed in (1, 1, 2))
    assert one.shape == face.shape
    assert one.dtype == torch.uint8
    assert torch.equal(one, again)
    assert not torch.equal(one, face)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_of_torch_is_left_as_it_was(face, kind):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    augment(face, {"kind": kind})
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "still",
    [
        {"kind": "rotate_and_crop", "probability": 0},
        {"kind": "rotate_and_crop", "probability": 1, "degrees": 0, "padding": 0},
        {"kind": "erase", "probability": 0},
        {"kind": "jitter", "brightness": 0, "contrast": 0},
        {"kind": "affine", "degrees": 0, "translate": 0, "scale": [1, 1]},
    ],
    ids=str,
)
def test_a_strength_of_zero_changes_nothing(face, still):
    assert all(torch.equal(augment(face, still, seed=seed), face) for seed in range(4))


def test_an_augmentation_happens_as_often_as_its_probability_says(face):
    changed = [not torch.equal(augment(face, {"kind": "erase", "probability": 0.3}, seed=s), face) for s in range(200)]
    assert 0.2 < np.mean(changed) < 0.4  # three standard errors


def test_erasing_paints_one_rectangle_of_the_given_area_in_the_mean_colour(face):
    step = {"kind": "erase", "probability": 1, "share": [0.1, 0.2]}
    images = settings(step, mean=(0.2, 0.4, 0.6), std=0.5)
    for seed in range(5):
        changed = Augmenter(images)(face, np.random.default_rng(seed))
        rows, columns = torch.nonzero((changed != face).any(0), as_tuple=True)
        part = changed[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert 0.08 < part[0].numel() / face[0].numel() < 0.22
        assert (part == torch.tensor([51, 102, 153], dtype=torch.uint8)[:, None, None]).all()
        plan = resolve(TrainingConfig(device="cpu", precision="float32", workers=0))
        normalised = normalise(part[None], images, plan)
        torch.testing.assert_close(normalised, torch.zeros_like(normalised), atol=1e-6, rtol=0)


def test_rotation_and_crop_move_the_face_and_fill_with_black():
    white = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    step = {"kind": "rotate_and_crop", "probability": 1, "degrees": 0, "padding": 0.25}
    shifted = [augment(white, step, seed=seed)[0] for seed in range(8)]
    black = [int((image == 0).sum()) for image in shifted]
    assert len(set(black)) > 4
    assert max(black) <= 64 * 64 - 48 * 48  # at most 16 rows and 16 columns of padding


@pytest.mark.parametrize("probability", [0.2, 0.8])
def test_rotation_and_crop_happen_together_and_as_often_as_their_probability_says(face, probability):
    step = {"kind": "rotate_and_crop", "probability": probability}
    changed = [not torch.equal(augment(face, step, seed=seed), face) for seed in range(200)]
    assert abs(np.mean(changed) - probability) < 0.09  # three standard errors


def test_rotation_turns_by_up_to_its_degrees():
    """The corners that a turned white square leaves black grow with the angle, up to 45 degrees."""
    white = torch.full((3, 64, 64), 255, dtype=torch.uint8)

    def black(degrees):
        step = {"kind": "rotate_and_crop", "probability": 1, "degrees": degrees, "padding": 0}
        return max(float((augment(white, step, seed=seed)[0] == 0).float().mean()) for seed in range(12))

    assert 0 < black(5) < 0.05 < black(15) < black(45) <= 0.18


def test_affine_shifts_and_turns_by_up_to_what_it_says():
    yy, xx = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    bar = (((yy - 31.5).abs() < 3) & ((xx - 31.5).abs() < 20)).to(torch.uint8).mul(255).expand(3, 64, 64)

    def placed(**changes):
        still = {"kind": "affine", "degrees": 0, "translate": 0, "scale": [1, 1]}
        images = [augment(bar, still | changes, seed=seed)[0].float() for seed in range(16)]
        centres = [torch.stack([(image * axis).sum() / image.sum() for axis in (yy, xx)]) - 31.5 for image in images]
        heights = [float((image.amax(1) > 100).sum()) for image in images]
        return torch.stack(centres).abs().max().item(), max(heights)

    shift, height = placed(translate=0.1)
    assert 3 < shift <= 6.5
    assert height <= 7
    shift, height = placed(degrees=20)
    assert shift < 0.5
    assert 10 < height <= 6 + 40 * np.sin(np.radians(20)) + 2


def test_affine_magnifies_and_never_shrinks(face):
    """A white disc of 16 pixels in the middle grows by up to the given factor."""
    yy, xx = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    disc = (((yy - 31.5) ** 2 + (xx - 31.5) ** 2 < 16**2) * 255).to(torch.uint8).expand(3, 64, 64)
    step = {"kind": "affine", "degrees": 30, "translate": 0, "scale": [1.0, 1.5]}
    areas = [float(augment(disc, step, seed=seed)[0].float().mean() / disc[0].float().mean()) for seed in range(12)]
    assert 0.97 < min(areas) < 1.4 < max(areas) < 1.5**2 + 0.05


def test_jitter_changes_brightness_within_its_factor(face):
    means = [
        float(augment(face, {"kind": "jitter", "brightness": 0.3, "contrast": 0}, seed=s).float().mean())
        for s in range(30)
    ]
    plain = float(face.float().mean())
    assert 0.68 * plain < min(means) < 0.85 * plain
    assert 1.1 * plain < max(means) < 1.32 * plain


def test_jitter_changes_contrast_within_its_factor():
    """Two grey levels move towards their mean, or away from it, by the factor."""
    levels = torch.tensor([100, 140], dtype=torch.uint8).repeat(32).expand(3, 64, 64)
    step = {"kind": "jitter", "brightness": 0, "contrast": 0.3}
    spans = [float(np.ptp(augment(levels, step, seed=seed).numpy().astype(int))) for seed in range(30)]
    assert 40 * 0.7 - 1.5 <= min(spans) < 34
    assert 46 < max(spans) <= 40 * 1.3 + 1.5


def test_a_resized_crop_sees_the_whole_stored_face(tiny_faces):
    """The plain crop is 48 of 64 pixels; the resized one reaches all, and is as large as asked for."""
    images = ImageSettings.model_validate(
        {"crop": 48, "flip": False, "augment": [{"kind": "resized_crop", "share": [1.0, 1.0]}]}
    )
    dataset = FaceDataset(tiny_faces.store, np.arange(1), {}, images, seed=0, training=True)
    pixels = dataset[0, 0][0]
    whole = torch.from_numpy(tiny_faces.store.image(0).transpose(2, 0, 1).copy()).float()
    small = torch.nn.functional.interpolate(whole[None], size=48, mode="bilinear", antialias=True)[0]
    assert pixels.shape == (3, 48, 48)
    assert (pixels.float() - small).abs().mean() < 12
    assert (pixels[:, 0].float() - small[:, 0]).abs().mean() < 25


def test_augmented_batches_are_the_same_for_any_number_of_workers(tmp_path):
    store = painted_store(tmp_path / "store")
    dataset = FaceDataset(
        store,
        np.arange(23),
        {"expression": np.arange(23) % 3},
        ImageSettings.model_validate({"crop": 20, "augment": [{"kind": kind} for kind in ("affine", "jitter")]}),
        seed=5,
        training=True,
    )
    keys = training_batches(Sampler(AllSamples(), dataset.labels["expression"], 0, "stage", 7), 7, 1, 0)
    alone, together = (
        [batch.images for batch in Loader(dataset, resolve(TrainingConfig(device="cpu", workers=w))).batches(keys)]
        for w in (0, 2)
    )
    assert all(map(torch.equal, alone, together))


def test_without_augmentation_crops_and_flips_are_what_they_were(tmp_path):
    """The draws of an augmentation come after those of crop and flip."""
    plain = faces(painted_store(tmp_path / "store"), range(5), training=True)
    images = plain.images.model_copy(update={"augment": settings({"kind": "erase", "probability": 0}).augment})
    augmented = FaceDataset(plain.store, plain.rows, plain.labels, images, seed=5, training=True)
    assert all(torch.equal(plain[epoch, row][0], augmented[epoch, row][0]) for epoch in range(3) for row in range(5))


def test_a_tested_face_is_not_augmented(tmp_path):
    plain = faces(painted_store(tmp_path / "store"), range(5))
    images = plain.images.model_copy(update={"augment": settings({"kind": "affine"}).augment})
    tested = FaceDataset(plain.store, plain.rows, plain.labels, images, seed=5, training=False)
    assert all(torch.equal(plain[0, row][0], tested[0, row][0]) for row in range(5))


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"kind": "jitter"}, {"kind": "resized_crop"}], "it stands first, or not at all"),
        ([{"kind": "erase", "share": [0.3, 0.1]}], r"share is \[0.3, 0.1\]; the smaller number comes first"),
        ([{"kind": "affine", "scale": [2, 1]}], "the smaller number comes first"),
        ([{"kind": "mixup"}], "does not match any of the expected tags: 'rotate_and_crop', 'erase'"),
        ([{"kind": "jitter", "hue": 0.1}], "there is no parameter 'hue'"),
    ],
)
def test_an_impossible_augmentation_is_refused(steps, said):
    with pytest.raises(ValidationError, match=said):
        settings(*steps)


def test_channels_have_means_and_spreads_of_their_own(face):
    images = settings(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    plan = resolve(TrainingConfig(device="cpu", precision="float32", workers=0))
    out = normalise(face[None], images, plan)[0]
    for channel, (mean, std) in enumerate(zip(images.channel_means, images.channel_stds, strict=True)):
        torch.testing.assert_close(out[channel], (face[channel] / 255 - mean) / std)
