"""Batches depend on the seed and the epoch, never on who loads them."""

import re

import numpy as np
import pytest
import torch
from small_method import COUNT, faces, painted_store

from openfer.errors import DataError, ParameterError
from openfer.io.face_store import EncodedFace, FaceStore, FaceStoreWriter
from openfer.methods.contract import MISSING, AllSamples
from openfer.training import batches
from openfer.training.batches import Loader, normalise, steps_per_epoch, training_batches
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import ConcatFaces, FaceDataset
from openfer.training.device import resolve
from openfer.training.sampling import Sampler


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


def plan(workers=0):
    return resolve(TrainingConfig(device="cpu", precision="float32", workers=workers))


def everything(dataset, stage):
    return Sampler(AllSamples(), dataset.labels["expression"], 0, stage, 7)


def all_batches(dataset, workers, epochs=(0, 1), start=0):
    loader = Loader(dataset, plan(workers))
    keys = [training_batches(everything(dataset, "stage"), 7, epoch, start) for epoch in epochs]
    return [batch for epoch in keys for batch in loader.batches(epoch)]


def same(one, other):
    return torch.equal(one.images, other.images) and torch.equal(one.labels["expression"], other.labels["expression"])


def with_content(store, row, content):
    """Return a copy of a store where one face has other bytes."""
    records = store.table().to_dict("records")
    with FaceStoreWriter(store.folder.with_name("damaged")) as writer:
        for number, record in enumerate(records):
            writer.add(EncodedFace(content if number == row else store.encoded(number), record))
    return FaceStore(store.folder.with_name("damaged"))


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_are_the_same_for_any_number_of_workers(store, workers):
    dataset = faces(store, range(COUNT), training=True)
    alone, together = all_batches(dataset, 0), all_batches(dataset, workers)
    assert len(alone) == len(together) == 2 * steps_per_epoch(COUNT, 7)
    assert all(map(same, alone, together))


def test_an_epoch_can_start_at_any_step(store):
    dataset = faces(store, range(COUNT), training=True)
    assert all(map(same, all_batches(dataset, 0, (1,))[2:], all_batches(dataset, 0, (1,), start=2)))


def test_every_epoch_and_stage_has_its_own_order_of_all_samples(store):
    dataset = faces(store, range(COUNT))
    orders = [
        [index for batch in training_batches(everything(dataset, stage), 7, epoch, 0) for _, index in batch]
        for stage, epoch in (("one", 0), ("one", 1), ("two", 0))
    ]
    assert all(sorted(order) == list(range(COUNT)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]


@pytest.mark.parametrize(("samples", "steps"), [(14, 2), (15, 2), (16, 3), (2, 1), (1, 0)])
def test_a_last_batch_of_one_sample_is_left_out(samples, steps):
    assert steps_per_epoch(samples, 7) == steps


def test_the_lone_sample_differs_between_epochs(store):
    dataset = faces(store, range(15))
    seen = [
        {index for batch in training_batches(everything(dataset, "one"), 7, epoch, 0) for _, index in batch}
        for epoch in range(8)
    ]
    assert all(len(epoch) == 14 for epoch in seen)
    assert set.union(*seen) == set(range(15))


def test_training_crops_move_and_flip_and_test_crops_stay(store):
    crops = [faces(store, range(COUNT), training=True)[epoch, 0][0] for epoch in range(40)]
    assert len({crop.numpy().tobytes() for crop in crops}) > 20
    whole = torch.from_numpy(store.image(0)).permute(2, 0, 1)
    windows = whole.unfold(1, 20, 1).unfold(2, 20, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 20, 20)
    straight = [bool((windows == crop).all((1, 2, 3)).any()) for crop in crops]
    mirrored = [bool((windows == crop.flip(2)).all((1, 2, 3)).any()) for crop in crops]
    assert all(a != b for a, b in zip(straight, mirrored, strict=True))
    assert 8 < sum(mirrored) < 32
    test = faces(store, range(COUNT))
    assert torch.equal(test[0, 0][0], whole[:, 2:22, 2:22])
    assert torch.equal(test[0, 0][0], test[7, 0][0])


def test_no_training_crop_is_mirrored_without_flip(store):
    dataset = FaceDataset(store, np.arange(3), {}, ImageSettings(crop=24, flip=False), seed=0, training=True)
    assert all(torch.equal(dataset[epoch, 0][0], dataset[0, 0][0]) for epoch in range(20))


def test_normalisation_maps_black_and_white_to_minus_one_and_one():
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(2, 3, 4, 2)
    out = normalise(pixels, ImageSettings(crop=8), plan())
    assert out[..., 0].unique() == -1
    assert out[..., 1].unique() == 1
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_a_crop_larger_than_a_face_is_refused(store):
    with pytest.raises(ParameterError, match=r"images\.crop is 30 pixels.*side of 24.*lower images\.crop"):
        faces(store, range(3), crop=30)


def test_labels_of_another_length_are_refused(store):
    with pytest.raises(DataError, match="2 labels of expression for 3 faces"):
        faces(store, range(3), labels=np.array([0, 1]))


def test_two_sets_in_one_lack_each_others_tasks(store, tmp_path):
    other = painted_store(tmp_path / "other", count=4)
    images = ImageSettings(crop=20)
    first = FaceDataset(store, np.arange(5), {"pose": np.arange(5)}, images, 0, training=True)
    second = FaceDataset(other, np.arange(4), {"race": np.arange(4)}, images, 0, training=True)
    both = ConcatFaces([first, second])
    assert len(both) == 9
    assert both.labels["pose"].tolist() == [0, 1, 2, 3, 4] + [MISSING] * 4
    assert both[0, 6][1] == {"pose": MISSING, "race": 1}
    assert list(both.sample_ids[4:6]) == ["sample004", "sample000"]
    assert torch.equal(both[2, 3][0], first[2, 3][0])


def test_a_crop_that_shows_a_part_of_a_face_is_refused_until_faces_are_resized(store):
    with pytest.raises(ParameterError, match=r"images\.crop is 8 pixels.*33% of a face's side; set images\.size"):
        faces(store, range(3), crop=8)
    small = FaceDataset(store, np.arange(3), {}, ImageSettings(size=10, crop=8), seed=0, training=False)
    assert small[0, 0][0].shape == (3, 8, 8)


def test_a_resized_face_is_the_whole_face_in_fewer_pixels(store):
    halved = FaceDataset(store, np.arange(1), {}, ImageSettings(size=12, crop=12), seed=0, training=False)[0, 0][0]
    means = store.image(0).astype(float).reshape(12, 2, 12, 2, 3).mean((1, 3)).transpose(2, 0, 1)
    assert np.abs(halved.numpy() - means).mean() < 12  # bicubic, against plain means of four pixels
    same = FaceDataset(store, np.arange(1), {}, ImageSettings(size=24, crop=24), seed=0, training=False)[0, 0][0]
    assert (same.numpy() == store.image(0).transpose(2, 0, 1)).all()


def test_sets_with_different_crops_make_no_whole(store):
    with pytest.raises(ParameterError, match="different images settings"):
        ConcatFaces([faces(store, range(3)), faces(store, range(3), crop=16)])


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("content", [b"", b"no image"], ids=["zero bytes", "damaged"])
def test_an_unreadable_image_is_one_error_that_names_the_sample(tmp_path, workers, content):
    store = with_content(painted_store(tmp_path / "store", count=5), 3, content)
    dataset = faces(store, range(5))
    said = ""
    try:
        list(Loader(dataset, plan(workers)).batches(batches.testing_batches(dataset, 2)))
    except DataError as error:  # pytest.raises would keep the workers, with the traceback
        said = str(error)
    assert re.search(r"face sample003 in .* cannot be decoded", said)
    assert "Traceback" not in said
