"""The table of maps that a trained method leaves, on faces that depend on the dataset alone."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from openfer.io.checkpoint import Checkpoint
from openfer.methods.registry import build
from openfer.pipelines.figures.grad_cam import grad_cam
from openfer.pipelines.figures.shown_faces import some_of_each_class
from openfer.pipelines.sources import Source
from openfer.runs.settings import RunSettings
from openfer.schemas import GRAD_CAM, complete_rows


@pytest.fixture(scope="module")
def tables(tiny_faces):
    scenes = tiny_faces.scenes
    rows = scenes[["sample_id", "dataset", "expression", "gender", "race"]].assign(path="x", licence="CC0-1.0")
    roles = ["train"] * 28 + ["test"] * 28
    split = pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})
    return complete_rows(rows), tiny_faces.store, split


def looked_at(tables, method, classes, **settings):
    run = {"method": method, "datasets": ["a"], "seed": 3, "images": {"crop": 64}, "settings": settings}
    run |= {"training": {"device": "cpu", "workers": 0}}
    torch.manual_seed(0)
    built = build(method, settings, classes)
    facts = {"classes": built.classes, "main_selection": True, "selection": "best_val"}
    models = {"best_val": lambda: Checkpoint(built.own_state(), facts)}
    return grad_cam(RunSettings.model_validate(run), models, {"a": Source(*tables)})


EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")


@pytest.fixture(scope="module")
def of_baseline(tables):
    return looked_at(tables, "baseline", {"expression": EXPRESSIONS})


def test_one_tested_face_of_every_expression_has_its_crop_and_its_maps(tables, of_baseline):
    rows, store, split = tables
    table = GRAD_CAM.validate(of_baseline)
    assert sorted(table["y_true"]) == sorted(EXPRESSIONS)
    known = rows.set_index("sample_id")["expression"]
    assert list(table["y_true"]) == [known[name] for name in table["sample_id"]]
    tested = set(split.loc[split["role"] == "test", "sample_id"])
    assert set(table["sample_id"]) <= tested
    for name, image in zip(table["sample_id"], table["image"], strict=True):
        (number,) = store.rows_of([name])
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image))), store.image(int(number)))
    assert (table[["rows", "columns"]] == 4).all(axis=None)
    assert all(len(cells) == 16 for column in ("of_predicted", "of_true") for cells in table[column])


def test_the_map_of_a_right_answer_is_the_map_of_the_truth(of_baseline):
    right = of_baseline["y_true"] == of_baseline["y_pred"]
    for row, is_right in zip(of_baseline.itertuples(), right, strict=True):
        assert np.allclose(row.of_predicted, row.of_true) == is_right


def test_two_methods_show_the_same_faces_whatever_they_learn(tables, of_baseline):
    factors = looked_at(tables, "dfem", {"gender": ("male", "female"), "race": ("caucasian", "african", "asian")})
    assert list(factors["sample_id"].unique()) == list(of_baseline["sample_id"])
    assert list(factors["task"].unique()) == ["gender", "race"]
    assert len(factors) == 2 * len(of_baseline)


def test_a_face_without_a_label_has_no_map_of_the_truth(tables):
    rows, store, split = tables
    unlabelled = rows.assign(race=rows["race"].where(rows["race"] != "asian"))
    table = looked_at((unlabelled, store, split), "dfem", {"race": ("caucasian", "african", "asian")})
    assert table["y_true"].isna().any()
    assert (table["y_true"].isna() == table["of_true"].isna()).all()
    GRAD_CAM.validate(table)


def test_the_table_is_read_back_from_parquet_as_it_was_written(of_baseline, tmp_path):
    of_baseline.to_parquet(tmp_path / "maps.parquet")
    again = GRAD_CAM.validate(pd.read_parquet(tmp_path / "maps.parquet"))
    assert again["image"].tolist() == of_baseline["image"].tolist()
    np.testing.assert_array_equal(np.stack(again["of_predicted"]), np.stack(of_baseline["of_predicted"]))


def shown(labels, most, **columns):
    rows = pd.DataFrame({"sample_id": [f"s{i:03d}" for i in range(len(labels))], "path": "x", "dataset": "a"})
    rows = complete_rows(rows.assign(licence="CC0-1.0", **({"expression": labels} if columns == {} else columns)))
    split = rows[["sample_id"]].assign(fold=0, role="test")
    (source,) = some_of_each_class([Source(rows, None, split)], "test", most)
    return source.role("test")


def test_faces_are_the_first_ones_of_each_class_in_equal_numbers():
    chosen = shown(["fear", "fear", "anger"] * 10, 4)
    assert chosen["expression"].tolist() == ["anger", "anger", "fear", "fear"]
    assert chosen["sample_id"].tolist() == ["s002", "s005", "s000", "s001"]


def test_a_dataset_without_expressions_is_balanced_by_its_first_factor_and_one_without_labels_by_nothing():
    by_factor = shown([None] * 20, 4, gender=["male"] * 15 + ["female"] * 5)
    assert by_factor["gender"].tolist() == ["female", "female", "male", "male"]
    people = shown([None] * 20, 4, identity=[f"p{i:02d}" for i in range(20)])
    assert people["identity"].tolist() == ["p00", "p01", "p02", "p03"]
    assert len(shown([None] * 20, 4)) == 4
