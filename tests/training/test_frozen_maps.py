"""Maps of frozen layers take the place of images: the same training, in less time."""

import pickle

import numpy as np
import pytest
import torch
from tests.methods.test_freezing import WITH_TRUNK
from tests.methods.trial import TRAIN, Trial
from tests.pipelines.plans import method_nodes, project_plan

from openfer.errors import ParameterError
from openfer.io.datasets import CacheFolderDataset
from openfer.methods.declaration import METHODS
from openfer.training import batches
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import ConcatFaces, FaceDataset
from openfer.training.device import place, resolve
from openfer.training.frozen_maps import reading_maps
from openfer.training.loop import FitData, fit

FLOAT32 = TrainingConfig(device="cpu", precision="float32", workers=0, selections=("last",))
STORED = 2e-3
"""Relative rounding of float16, some layers later."""

CACHED = {"backbone": "dlib", "frozen_until": "layer2", "cache_frozen": True}
ONE_CROP = {"size": 104, "crop": 104}


def faces_of(tiny_faces, rows=TRAIN, *, training=True, flip=True):
    labels = {task: tiny_faces.labels(task)[rows] for task in ("expression", "gender", "race", "identity")}
    return ConcatFaces([FaceDataset(tiny_faces.store, rows, labels, ImageSettings(crop=64, flip=flip), 0, training)])


def as_maps(faces, method, folder, code=None):
    return reading_maps(faces, method, FLOAT32, folder, code or {})


def first_batch(faces, count=14):
    (batch,) = batches.Loader(faces, resolve(FLOAT32)).batches(batches.testing_batches(faces, count))
    return batch


def in_both(method, faces, folder):
    """Return a batch of images, and one of the same faces' maps."""
    return first_batch(faces), first_batch(as_maps(faces, method, folder))


def without_dfem(name):
    """Return the changes that let a method do without a DFEM, which looks at images."""
    if name not in ("addl", "addl_va"):
        return {}
    return {"weights": METHODS[name].settings().weights.model_copy(update={"adversarial": 0, "attention_transfer": 0})}


@pytest.mark.parametrize("name", [name for name in WITH_TRUNK if name not in ("oadn", "addl_va")])
def test_a_step_on_maps_has_the_losses_of_a_step_on_images(name, tiny_faces, tmp_path):
    method = Trial(name, tiny_faces).build(**without_dfem(name))
    place(method.freeze("layer1").train(), resolve(FLOAT32))
    images, maps = in_both(method, faces_of(tiny_faces), tmp_path)
    assert images.images.shape[1:] == (3, 64, 64)
    assert maps.images.shape[1:] == ((2 if method.reads_all_maps else 1) * 64 * 16 * 16,)
    assert all(torch.equal(labels, maps.labels[task]) for task, labels in images.labels.items())
    (stage, *_) = method.stages()
    found = []
    for batch in (images, maps):
        torch.manual_seed(0)  # of dropout
        found.append(method.step(batch, stage)["main"])
    for term, loss in found[0].items():
        torch.testing.assert_close(found[1][term], loss, rtol=STORED, atol=STORED, msg=term)


@pytest.mark.parametrize(("last", "attention"), [("stem", "none"), ("layer2", "multi_level"), ("layer4", "none")])
def test_a_training_on_maps_has_the_losses_of_one_on_images(last, attention, tiny_faces, tmp_path):
    sets = [faces_of(tiny_faces), faces_of(tiny_faces, np.arange(49, 56), training=False)]
    figures = []
    for kind in ("images", "maps"):
        method = Trial("baseline", tiny_faces).build(trunk="dlib_resnet29", attention=attention).freeze(last)
        shown = sets if kind == "images" else [as_maps(one, method, tmp_path / "maps") for one in sets]
        history = fit(method, FitData(*shown), FLOAT32, 0, tmp_path / kind).history
        figures.append(history[history["name"].str.contains("main|accuracy")])
    assert {"main/total", "accuracy/expression"} <= {*figures[0]["name"]}
    np.testing.assert_allclose(figures[1]["value"], figures[0]["value"], rtol=0.01)
    images, maps = in_both(method.eval(), sets[1], tmp_path / "maps")
    with torch.inference_mode():
        torch.testing.assert_close(
            method(maps.images).features, method(images.images).features, rtol=0.02, atol=0.02
        )  # fmt: skip


def test_the_second_view_is_of_the_mirror_image_and_validation_has_none(tiny_faces, tmp_path):
    method = Trial("baseline", tiny_faces).build()
    place(method.freeze("layer1").eval(), resolve(FLOAT32))
    faces = faces_of(tiny_faces, TRAIN[:4])
    trained = as_maps(faces, method, tmp_path)
    images = {epoch: faces[epoch, 3].pixels for epoch in range(8)}  # an epoch mirrors a face or does not
    assert len({pixels.numpy().tobytes() for pixels in images.values()}) == 2
    with torch.inference_mode():
        for epoch, pixels in images.items():
            expected = method.backbone().packed_maps((pixels[None] / 255 - 0.5) / 0.5, whole=False)[0]
            torch.testing.assert_close(trained[epoch, 3].pixels.float(), expected, rtol=STORED, atol=STORED)
    (plain,) = as_maps(faces_of(tiny_faces, TRAIN[:4], training=False), method, tmp_path).parts
    assert (plain._maps.values.shape[1], trained.parts[0]._maps.values.shape[1]) == (1, 2)


def test_another_process_is_sent_the_path_of_maps_alone(tiny_faces, tmp_path):
    method = Trial("baseline", tiny_faces).build().freeze("layer1")
    (faces,) = as_maps(faces_of(tiny_faces, TRAIN[:2]), method, tmp_path).parts
    sent = pickle.dumps(faces._maps)
    assert len(sent) < 500
    assert torch.equal(pickle.loads(sent).of(1, True), faces._maps.of(1, True))


def test_maps_are_found_again_and_other_weights_layers_faces_or_code_make_others(tiny_faces, tmp_path):
    method = Trial("baseline", tiny_faces).build(trunk="dlib_resnet29").freeze("layer3")

    def made(faces=None, code=None):
        before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        as_maps(faces or faces_of(tiny_faces, TRAIN[:4]), method, tmp_path, code)
        assert before.items() <= {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}.items()
        return len([*tmp_path.iterdir()]) - len(before)

    assert made() == 1
    with torch.no_grad():
        method.shared.layer4[0].conv1.weight.zero_()  # it is not frozen
    assert made() == 0
    assert made(faces_of(tiny_faces, TRAIN[:5])) == 1
    assert made(faces_of(tiny_faces, TRAIN[:4], flip=False)) == 1
    assert made(code={"module": "changed"}) == 1
    method.freeze("layer2")
    assert made() == 1
    with torch.no_grad():
        method.shared.layer1[0].conv1.weight[0, 0, 0, 0] += 1
    assert made() == 1


def test_maps_that_float16_cannot_hold_are_refused_and_nothing_is_left_behind(tiny_faces, tmp_path):
    method = Trial("baseline", tiny_faces).build(trunk="dlib_resnet29")
    with torch.no_grad():
        method.shared.stem.weight.mul_(1e6)
    with pytest.raises(ParameterError, match=r"larger than float16 can hold.*set initialisation.cache_frozen to false"):
        as_maps(faces_of(tiny_faces, TRAIN[:2]), method.freeze("stem"), tmp_path)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ({"initialisation": CACHED | {"frozen_until": "none"}}, "no layer is frozen. Give frozen_until"),
        ({"images": {"size": 112, "crop": 104}}, "images.size is 112 and images.crop is 104, so that training crops"),
        ({"images": ONE_CROP | {"augment": [{"kind": "erase"}]}}, "images.augment changes training images"),
        ({"training": {"neighbourhood_mask": {}}}, "training.neighbourhood_mask draws neighbours of images"),
        ({"method": "addl"}, "addl needs images: its DFEM looks at them"),
        ({"method": "oadn"}, "oadn needs images: its landmarks are places in them"),
    ],
)
def test_what_cannot_be_cached_is_refused_with_its_reason_and_remedy(block, reason):
    name = block.get("method", "baseline")
    with pytest.raises(ParameterError, match=rf"cache_frozen is true, but {reason}.*, or set .*cache_frozen to false"):
        project_plan(**{name: {"initialisation": CACHED, "images": ONE_CROP} | block})


def test_every_method_with_a_trunk_is_cached_or_says_why_not():
    assert {name: why for name in WITH_TRUNK if (why := METHODS[name].needs_images(METHODS[name].settings()))} == {
        "addl": "its DFEM looks at them",
        "addl_va": "its DFEM looks at them",
        "oadn": "its landmarks are places in them",
    }


def test_a_run_that_caches_is_given_the_folder_and_no_other_run(tmp_path):
    cached = method_nodes("baseline", baseline={"initialisation": CACHED, "images": ONE_CROP})
    assert "frozen_maps" in cached["baseline.train"].inputs
    assert "frozen_maps" not in method_nodes("baseline")["baseline.train"].inputs
    assert CacheFolderDataset(folder=str(tmp_path)).load() == tmp_path
