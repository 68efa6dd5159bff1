"""What the nodes of a method do before anything trains."""

import numpy as np
import pytest

from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint, save_checkpoint
from openfer.nn.resnet import ResNet18Trunk
from openfer.pipelines.method_nodes import augmented, main_model
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.training_nodes import train


def test_only_the_models_up_to_the_main_one_are_loaded():
    def must_not_load():
        raise AssertionError("a model behind the main one was loaded")

    chosen = Checkpoint({}, {"main_selection": True})
    models = {
        "last": lambda: Checkpoint({}, {"main_selection": False}),
        "best_val": lambda: chosen,
        "oracle_test": must_not_load,
    }
    assert main_model(models) is chosen


def test_a_method_does_not_train_with_a_model_of_another_normalisation(tmp_path):
    settings = {"datasets": ["a"], "seed": 0, "images": {"crop": 64, "mean": 0.4}, "settings": {}}
    run = MethodRun.model_validate({"method": "addl"} | settings)
    dfem = {"last": lambda: Checkpoint({}, {"main_selection": True, "images": {"crop": 64}})}
    with pytest.raises(ParameterError, match=r"mean 0\.4 and std 0\.5, but dfem, .* mean 0\.5 and std 0\.5"):
        train(run, tmp_path, "rows", "faces", "split", dfem)


@pytest.mark.parametrize("fold", [0, 1])
def test_a_method_does_not_start_from_weights_that_learned_from_the_faces_it_tests(tmp_path, tiny_faces, fold):
    """The file says which fold was held out; the split has a fold 1, in which the others test."""
    file = tmp_path / "resnet18.safetensors"
    facts = {"datasets": ["tiny"], "fold": fold}
    save_checkpoint(file, Checkpoint(ResNet18Trunk().state_dict(), facts))
    settings = {
        "datasets": ["tiny"],
        "seed": 0,
        "fold": 1,
        "images": {"crop": 64},
        "training": {"selections": ["last"]},
    }
    schedule = {"epochs": 1, "batch_size": 28, "learning_rate": 1e-3}
    run = MethodRun.model_validate(
        {"method": "baseline", "initialisation": {"backbone": str(file)}, "settings": {"schedule": schedule}} | settings
    )
    rows = tiny_faces.scenes.assign(licence="none")
    split = rows[["sample_id"]].assign(fold=1, role=["train"] * 28 + ["val"] * 7 + ["test"] * 21)
    if fold == run.fold:
        assert "100 of 100 tensors" in train(run, tmp_path, rows, tiny_faces.store, split)[2]["initialisation"]
    else:
        with pytest.raises(
            ParameterError, match=r"fold 1 of tiny is tested, but .*resnet18\.safetensors.* fold 0 held out"
        ):
            train(run, tmp_path, rows, tiny_faces.store, split)


def test_the_sheet_shows_training_faces_as_tested_and_as_epochs_see_them(tiny_faces):
    rows = tiny_faces.scenes
    split = rows[["sample_id"]].assign(fold=0, role=["train"] * 49 + ["test"] * 7)
    black = {"kind": "erase", "probability": 1, "share": [0.2, 0.3]}
    images = {"crop": 64, "flip": False, "mean": 0.0, "augment": [black]}
    run = MethodRun.model_validate(
        {"method": "baseline", "datasets": ["a"], "seed": 0, "images": images, "settings": {}}
    )
    cells = np.asarray(augmented(run, rows, tiny_faces.store, split))[4 : 4 + 112]
    as_tested, *epochs = (cells[:, 4 + place * 116 :][:, :112] for place in range(8))
    black_share = [float((cell < 5).all(-1).mean()) for cell in (as_tested, *epochs)]
    assert black_share[0] < 0.1
    assert min(black_share[1:]) > black_share[0] + 0.1
