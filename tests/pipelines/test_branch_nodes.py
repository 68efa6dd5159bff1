"""What is shown of a trained method's branches, on faces that it was not trained on."""

import numpy as np
import pandas as pd
import pytest
import torch

from openfer.io.checkpoint import Checkpoint
from openfer.labels import BASIC_EXPRESSIONS
from openfer.methods.registry import build
from openfer.pipelines.figures.branches import attention, similarity
from openfer.pipelines.figures.esr import branches
from openfer.pipelines.predicting import REPORTED, predict
from openfer.pipelines.sources import Source
from openfer.runs.settings import RunSettings
from openfer.schemas import complete_rows

CLASSES = {"expression": BASIC_EXPRESSIONS}


@pytest.fixture(scope="module")
def sources(tiny_faces):
    scenes = tiny_faces.scenes
    rows = scenes[["sample_id", "dataset", "expression", "gender", "race"]].assign(path="x", licence="CC0-1.0")
    roles = ["train"] * 28 + ["val"] * 14 + ["test"] * 14
    split = pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})
    return {"a": Source(complete_rows(rows), tiny_faces.store, split)}


def trained(method, **settings):
    torch.manual_seed(0)
    built = build(method, settings, CLASSES)
    facts = dict.fromkeys(REPORTED, 0) | {"classes": built.classes, "main_selection": True, "selection": "best_val"}
    facts |= {"method": method, "licences_of_data": [], "licences_of_weights": []}
    return {"best_val": lambda: Checkpoint(built.own_state(), facts)}


def parameters(method, **settings):
    run = {"method": method, "datasets": ["a"], "seed": 3, "images": {"crop": 64}, "settings": settings}
    return RunSettings.model_validate(run | {"training": {"device": "cpu", "workers": 0, "precision": "float32"}})


def test_the_first_b_branches_vote_on_validation_and_tested_faces_as_an_early_exit_predicts(sources):
    models = trained("esr", branches=3)
    table = branches(parameters("esr", branches=3), models, sources)
    assert table[["role", "branches", "n"]].values.tolist() == [
        [role, count, 14] for role in ("val", "test") for count in (1, 2, 3)
    ]
    for count in (1, 3):
        predictions, _ = predict(parameters("esr", branches=3, early_exit=count), models, sources)[:2]
        right = (predictions["y_true"] == predictions["y_pred"]).mean()
        assert table[(table.role == "test") & (table.branches == count)]["vote"].item() == pytest.approx(right)
    first = table[table["branches"] == 1]
    np.testing.assert_allclose(first["vote"], first["alone"])


@pytest.mark.parametrize(
    ("method", "settings", "names"),
    [("esr", {"branches": 2}, ["face", "branch 1", "branch 2"]), ("manet", {}, ["face", "local", "global"])],
)
def test_a_tested_face_of_every_expression_stands_beside_its_maps(sources, method, settings, names):
    figure = attention(parameters(method, **settings), trained(method, **settings), sources)
    grid = np.array(figure.axes).reshape(7, 3)
    assert [axes.get_title() for axes in grid[0]] == names
    assert sorted(axes.get_ylabel().split("\n")[0] for axes in grid[:, 0]) == sorted(BASIC_EXPRESSIONS)
    assert all(axes.images[-1].get_array().max() <= 1 for axes in grid[:, 1:].flat)


@pytest.mark.parametrize(
    ("method", "settings", "pairs"),
    [
        ("esr", {"branches": 3}, {"channel": 3, "spatial": 3}),
        ("esr", {"branches": 2, "attention": False, "diversify": []}, {}),
        ("manet", {}, {"branch": 1, "spatial": 6, "channel": 6}),
    ],
)
def test_every_pair_of_learners_is_compared_on_the_validation_faces(sources, method, settings, pairs):
    table = similarity(parameters(method, **settings), trained(method, **settings), sources)
    assert table["kind"].value_counts().to_dict() == pairs
    assert (table["n"] == 14).all()
    assert table["similarity"].between(0, 1).all()
