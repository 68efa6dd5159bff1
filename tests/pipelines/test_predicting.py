"""What a run is shown, and how its models are loaded."""

import numpy as np

from openfer.io.checkpoint import Checkpoint
from openfer.labels import EXPRESSIONS
from openfer.pipelines.predicting import _one_of_each, augmented
from openfer.pipelines.sources import Source
from openfer.pipelines.trained import main_model
from openfer.runs.settings import RunSettings


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


def test_the_sheet_shows_training_faces_as_tested_and_as_epochs_see_them(tiny_faces):
    rows = tiny_faces.scenes
    split = rows[["sample_id"]].assign(fold=0, role=["train"] * 49 + ["test"] * 7)
    black = {"kind": "erase", "probability": 1, "share": [0.2, 0.3]}
    images = {"crop": 64, "flip": False, "mean": 0.0, "augment": [black]}
    run = RunSettings.model_validate(
        {"method": "baseline", "datasets": ["a"], "seed": 0, "images": images, "settings": {}}
    )
    cells = np.asarray(augmented(run, {"a": Source(rows, tiny_faces.store, split)}))[4 : 4 + 112]
    as_tested, *epochs = (cells[:, 4 + place * 116 :][:, :112] for place in range(8))
    black_share = [float((cell < 5).all(-1).mean()) for cell in (as_tested, *epochs)]
    assert black_share[0] < 0.1
    assert min(black_share[1:]) > black_share[0] + 0.1


def test_the_sheet_shows_one_face_of_each_expression_in_the_order_of_the_labels(tiny_faces):
    expressions = tiny_faces.scenes["expression"].reset_index(drop=True)
    chosen = _one_of_each(expressions)
    assert list(chosen.values()) == [name for name in EXPRESSIONS if name in set(expressions)]
    assert all(expressions.iloc[row] == name for row, name in chosen.items())
    assert list(_one_of_each(expressions.mask(expressions.notna(), None))) == [0, 11, 22, 33, 44, 55]
