"""A backbone learned ahead: what it is learned from, and how a method comes to start from it."""

import json

import numpy as np
import pandas as pd
import pytest

from openfer.errors import CheckpointError, DataError, ParameterError
from openfer.evaluation.results_table import to_markdown
from openfer.labels import CELEBA_ATTRIBUTES
from openfer.pipelines import training_data
from openfer.pipelines.evaluation_nodes import evaluate
from openfer.pipelines.in_use import choose
from openfer.pipelines.method_nodes import predict
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.template import method_pipeline
from openfer.pipelines.training_data import classes_of, sources_of
from openfer.pipelines.training_nodes import train
from openfer.schemas import complete_rows
from tests.pipelines.conftest import Project

SCHEDULE = {"epochs": 1, "batch_size": 14, "learning_rate": 1e-3}


def run(method="pretrain", backbone="none", **settings):
    block = {"method": method, "datasets": ["a"], "seed": 0, "images": {"crop": 64}}
    block |= {"settings": {"schedule": SCHEDULE} | settings, "initialisation": {"backbone": backbone}}
    return MethodRun.model_validate(block | {"training": {"device": "cpu", "workers": 0}})


@pytest.fixture(scope="module")
def tables(tiny_faces):
    """Seven people train, of whom one validates: nobody is on both sides."""
    scenes = tiny_faces.scenes
    columns = ["sample_id", "dataset", "partition", "expression", "gender", "race", "identity"]
    rows = complete_rows(scenes[columns].assign(subject=scenes["person"], path="x", licence="CC0-1.0"))
    roles = ["train"] * 42 + ["val"] * 7 + ["test"] * 7
    return rows, tiny_faces.store, pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})


def test_who_is_who_is_judged_on_held_out_images_of_the_training_people(tables):
    (source,) = sources_of(run(learns="identity"), tables)
    trained, judged = source.role("train"), source.role("val")
    assert set(trained["identity"]) == set(judged["identity"]) == {f"person_{i:05d}" for i in range(6)}
    assert not set(trained["sample_id"]) & set(judged["sample_id"])
    assert len(trained) + len(judged) == 42
    assert training_data.tested_role([source]) == "val"
    assert source.role("test").empty


def test_a_split_that_has_its_people_on_both_sides_is_taken_as_it_is(tables):
    rows, store, split = tables
    shared = split.assign(role=["train", "train", "val"] * 18 + ["train", "val"])
    (source,) = sources_of(run(learns="identity"), (rows, store, shared))
    assert source.split["role"].tolist() == shared["role"].tolist()


def test_other_tasks_keep_the_split(tables):
    (source,) = sources_of(run(learns="expression"), tables)
    assert source.split["role"].tolist() == tables[2]["role"].tolist()


def test_attributes_come_as_binary_tasks_beside_factors(tables):
    rows, store, split = tables
    named = [["Bald", "Young"] if i % 3 else ["Young"] for i in range(len(rows))]
    data = sources_of(run(attributes=["gender", "Bald", "Bangs"]), (rows.assign(attributes=named), store, split))
    classes = classes_of(data, ("gender", "attribute/Bald", "attribute/Bangs"))
    assert classes == {
        "gender": ("male", "female", "unsure"),
        "attribute/Bald": ("absent", "present"),
        "attribute/Bangs": ("absent", "present"),
    }
    assert data[0].role("val")["attribute/Bald"].tolist()[:3] == ["absent", "present", "present"]


def test_a_dataset_without_the_labels_is_refused_by_their_names(tables, tmp_path):
    with pytest.raises(DataError, match=r"42 training rows carry none of the labels age, attribute/Bald; choose"):
        train(run(attributes=["age", "Bald"]), tmp_path, *tables)


def test_a_single_person_is_nothing_to_tell_apart(tables, tmp_path):
    rows, store, split = tables
    alone = split.assign(role=["train"] * 7 + ["test"] * 49)
    with pytest.raises(DataError, match="one class of identity at most: it shows only 'person_00000'"):
        train(run(learns="identity"), tmp_path, rows, store, alone)


def pipeline(name, **parameters):
    try:
        choose(parameters)
        return method_pipeline(name)
    finally:
        choose({})


def test_the_pretraining_comes_first_where_a_method_asks_for_it_and_only_there():
    asked = {"initialisation": {"backbone": "pretrain"}}
    for name in ("baseline", "addl"):
        nodes = {node.name: node for node in pipeline(name, **{name: asked}).nodes}
        assert nodes[f"{name}.train"].inputs[-1] == "pretrain_models"
        assert "pretrain.train" in nodes
        assert "synthetic_raf.render" in nodes
    assert "pretrain.train" not in {node.name for node in pipeline("baseline", addl=asked).nodes}


def test_the_pretraining_cannot_start_from_itself():
    with pytest.raises(ParameterError, match="it cannot start from itself; set none, or a path"):
        choose({"pretrain": {"initialisation": {"backbone": "pretrain"}}})


@pytest.mark.slow
def test_a_method_starts_from_the_learned_trunk_and_says_so(tables, tmp_path):
    states, _, _ = train(run(attributes=["gender", "race"]), tmp_path / "pretrain", *tables)
    models = {name: lambda state=state: state for name, state in states.items()}
    _, _, about = train(run("baseline", "pretrain"), tmp_path / "baseline", *tables, models)
    version = states["best_val"].facts["data_version"]
    said = f"100 of 100 tensors from pretrain's resnet18 (attributes, a {version}, best_val)"
    assert about["initialisation"] == said


@pytest.mark.slow
def test_a_learned_trunk_that_does_not_fit_is_refused_before_training(tables, tmp_path):
    states, _, _ = train(run(learns="expression"), tmp_path / "pretrain", *tables)
    state = states["best_val"]
    state.tensors = {name: value for name, value in state.tensors.items() if "layer3" not in name}
    with pytest.raises(CheckpointError, match=r"What fits is resnet18 or eca_resnet18: set pretrain\.settings\.back"):
        train(run("baseline", "pretrain"), tmp_path / "baseline", *tables, {"best_val": lambda: state})


@pytest.mark.slow
def test_forty_attributes_are_learned_predicted_and_shown_in_one_row(tables, tmp_path):
    rows, store, split = tables
    held = np.random.default_rng(0).random((len(rows), len(CELEBA_ATTRIBUTES))) < 0.5
    names = np.array(CELEBA_ATTRIBUTES, dtype=object)
    data = (rows.assign(attributes=[names[row].tolist() for row in held]), store, split)
    asked = run(attributes="celeba")
    states, _, _ = train(asked, tmp_path, *data)
    predictions, _, facts = predict(asked, {name: lambda state=state: state for name, state in states.items()}, *data)
    assert predictions["task"].nunique() == 40
    evaluated = evaluate(predictions, facts)
    assert len(evaluated["results"]) == 2 * 40
    shown = to_markdown(evaluated["results"], [])
    assert len(shown.splitlines()) < 10
    assert "mean of 40 tasks, from attribute/" in shown


@pytest.mark.slow
def test_one_command_learns_the_backbone_and_then_the_method(copy_of_finished: Project) -> None:
    asked = ("--params", "baseline.initialisation.backbone=pretrain", "--to-nodes", "baseline.train")
    said = copy_of_finished.run("--pipelines", "baseline", *asked)
    assert said.index("running     pretrain.train") < said.index("running     baseline.train")
    about = json.loads((copy_of_finished.path / "data/06_models/baseline/initialisation.json").read_text())
    assert about["initialisation"].startswith("100 of 100 tensors from pretrain's resnet18 (attributes, synthetic_raf")
