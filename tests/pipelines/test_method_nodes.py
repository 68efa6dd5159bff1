"""What the nodes of a method do before anything trains."""

import numpy as np
import pytest

from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.pipelines.method_nodes import augmented, main_model, train
from openfer.pipelines.method_run import MethodRun


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


def test_a_method_does_not_start_from_a_model_that_learned_from_the_faces_it_tests(tmp_path):
    settings = {"datasets": ["a", "b"], "seed": 0, "fold": 3, "images": {"crop": 64}, "settings": {}}
    run = MethodRun.model_validate({"method": "addl"} | settings)
    facts = {"main_selection": True, "images": {"crop": 64}, "datasets": ["b", "c"], "fold": 0}
    said = r"addl tests fold 3 of b, but dfem, .* fold 0 held out, .* set dfem\.fold: 3"
    with pytest.raises(ParameterError, match=said):
        train(run, tmp_path, *["rows", "faces", "split"] * 2, {"last": lambda: Checkpoint({}, facts)})


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
