"""A backbone learned ahead: what it is learned from, and how a method comes to start from it."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from openfer.errors import CheckpointError, DataError, ParameterError
from openfer.evaluation.results_table import to_markdown
from openfer.labels import CELEBA_ATTRIBUTES
from openfer.pipelines import sources as data_of_runs
from openfer.pipelines.evaluation_nodes import evaluate
from openfer.pipelines.predicting import predict
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.sources import Source, classes_of, sources_of
from openfer.pipelines.train import train
from openfer.runs.project import plan
from openfer.runs.settings import RunSettings
from openfer.schemas import complete_rows
from tests.pipelines.conftest import Project
from tests.pipelines.tiny_project import METHOD

SCHEDULE = {"epochs": 1, "batch_size": 14, "learning_rate": 1e-3}


def run(method="pretrain", backbone="none", **settings):
    block = {"method": method, "datasets": ["a"], "seed": 0, "images": {"crop": 64}}
    block |= {"settings": {"schedule": SCHEDULE} | settings, "initialisation": {"backbone": backbone}}
    return RunSettings.model_validate(block | {"training": {"device": "cpu", "workers": 0}})


def named(*tables):
    return {"a": Source(*tables)}


@pytest.fixture(scope="module")
def tables(tiny_faces):
    """Seven people train, of whom one validates: nobody is on both sides."""
    scenes = tiny_faces.scenes
    columns = ["sample_id", "dataset", "partition", "expression", "gender", "race", "identity"]
    rows = complete_rows(scenes[columns].assign(subject=scenes["person"], path="x", licence="CC0-1.0"))
    roles = ["train"] * 42 + ["val"] * 7 + ["test"] * 7
    return rows, tiny_faces.store, pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})


def test_who_is_who_is_judged_on_held_out_images_of_the_training_people(tables):
    (source,) = sources_of(run(learns="identity"), named(*tables))
    trained, judged = source.role("train"), source.role("val")
    assert set(trained["identity"]) == set(judged["identity"]) == {f"person_{i:05d}" for i in range(6)}
    assert not set(trained["sample_id"]) & set(judged["sample_id"])
    assert len(trained) + len(judged) == 42
    assert data_of_runs.tested_role([source]) == "val"
    assert source.role("test").empty


def test_a_split_that_has_its_people_on_both_sides_is_taken_as_it_is(tables):
    rows, store, split = tables
    shared = split.assign(role=["train", "train", "val"] * 18 + ["train", "val"])
    (source,) = sources_of(run(learns="identity"), named(rows, store, shared))
    assert source.split["role"].tolist() == shared["role"].tolist()


def test_other_tasks_keep_the_split(tables):
    (source,) = sources_of(run(learns="expression"), named(*tables))
    assert source.split["role"].tolist() == tables[2]["role"].tolist()


def test_attributes_come_as_binary_tasks_beside_factors(tables):
    rows, store, split = tables
    held = [["Bald", "Young"] if i % 3 else ["Young"] for i in range(len(rows))]
    data = sources_of(run(attributes=["gender", "Bald", "Bangs"]), named(rows.assign(attributes=held), store, split))
    classes = classes_of(data, ("gender", "attribute/Bald", "attribute/Bangs"))
    assert classes == {
        "gender": ("male", "female", "unsure"),
        "attribute/Bald": ("absent", "present"),
        "attribute/Bangs": ("absent", "present"),
    }
    assert data[0].role("val")["attribute/Bald"].tolist()[:3] == ["absent", "present", "present"]


def test_a_dataset_without_the_labels_is_refused_by_their_names(tables, tmp_path):
    with pytest.raises(DataError, match=r"42 training rows carry none of the labels age, attribute/Bald; choose"):
        train(run(attributes=["age", "Bald"]), tmp_path, named(*tables), {})


def test_a_single_person_is_nothing_to_tell_apart(tables, tmp_path):
    rows, store, split = tables
    alone = split.assign(role=["train"] * 7 + ["test"] * 49)
    with pytest.raises(DataError, match="one class of identity at most: it shows only 'person_00000'"):
        train(run(learns="identity"), tmp_path, named(rows, store, alone), {})


def nodes_of(name, **changes):
    """Return the nodes of a method's own pipeline by name, and its run."""
    blocks = {method: METHOD | {"method": method} for method in ("baseline", "addl", "dfem", "pretrain")}
    blocks["pretrain"]["datasets"] = ["synthetic_raf"]
    asked = plan({method: block | changes.get(method, {}) for method, block in blocks.items()})
    (own,) = asked.requested[name]
    return {node.name: node for node in runs_pipeline([own], asked.datasets).nodes}, own


def test_the_pretraining_comes_first_where_a_method_asks_for_it_and_only_there():
    asked = {"initialisation": {"backbone": "pretrain"}}
    for name in ("baseline", "addl"):
        nodes, own = nodes_of(name, **{name: asked})
        before = own.prerequisites["pretrain"]
        assert nodes[f"{own.namespace}.train"].inputs[-1] == f"{before.slug}_models"
        assert f"{before.namespace}.train" in nodes
        assert "synthetic_raf.render" in nodes
    assert not [name for name in nodes_of("baseline", addl=asked)[0] if name.startswith("pretrain.")]


def test_the_pretraining_cannot_start_from_itself():
    asked = {"initialisation": {"backbone": "pretrain"}}
    with pytest.raises(ParameterError, match=r"is pretrain, which in turn needs pretrain; set none, or a path"):
        nodes_of("pretrain", pretrain=asked)


@pytest.mark.slow
def test_a_method_starts_from_the_learned_trunk_and_says_so(tables, tmp_path):
    states, _, _ = train(run(attributes=["gender", "race"]), tmp_path / "pretrain", named(*tables), {})
    models = {name: lambda state=state: state for name, state in states.items()}
    _, _, about = train(run("baseline", "pretrain"), tmp_path / "baseline", named(*tables), {"pretrain": models})
    version = states["best_val"].facts["data_version"]
    said = f"100 of 100 tensors from pretrain's resnet18 (attributes, a {version}, best_val)"
    assert about["initialisation"] == said


@pytest.mark.slow
def test_a_trunk_that_was_learned_with_another_normalisation_is_refused(tables, tmp_path):
    states, _, _ = train(run(attributes=["gender"]), tmp_path / "pretrain", named(*tables), {})
    given = {"pretrain": {"best_val": lambda: states["best_val"]}}
    asked = run("baseline", "pretrain")
    otherwise = asked.model_copy(update={"images": asked.images.model_copy(update={"mean": 0.25})})
    with pytest.raises(ParameterError, match=r"mean 0\.25 and std 0\.5, but pretrain, which sees the same"):
        train(otherwise, tmp_path / "baseline", named(*tables), given)


@pytest.mark.slow
def test_a_trunk_with_channel_attention_is_learned_with_the_kernel_of_its_method(tables, tmp_path):
    first = run(attributes=["gender"], kernel="adaptive")
    first = first.model_copy(update={"settings": first.settings.model_copy(update={"backbone": "eca_resnet18"})})
    states, _, _ = train(first, tmp_path / "pretrain", named(*tables), {})
    given = {"pretrain": {"best_val": lambda: states["best_val"]}}
    asked = run("fdrl_eca", "pretrain", kernel="adaptive")
    _, _, about = train(asked, tmp_path / "fdrl_eca", named(*tables), given)
    assert about["initialisation"].startswith("108 of 108 tensors from pretrain's eca_resnet18")


@pytest.mark.slow
def test_a_learned_trunk_that_does_not_fit_is_refused_before_training(tables, tmp_path):
    states, _, _ = train(run(learns="expression"), tmp_path / "pretrain", named(*tables), {})
    state = states["best_val"]
    state.tensors = {name: value for name, value in state.tensors.items() if "layer3" not in name}
    given = {"pretrain": {"best_val": lambda: state}}
    words = r"What fits is resnet18 or eca_resnet18 or resnet18_small_images: set pretrain\.settings\.backbone"
    with pytest.raises(CheckpointError, match=words):
        train(run("baseline", "pretrain"), tmp_path / "baseline", named(*tables), given)


@pytest.mark.slow
def test_forty_attributes_are_learned_predicted_and_shown_in_one_row(tables, tmp_path):
    rows, store, split = tables
    held = np.random.default_rng(0).random((len(rows), len(CELEBA_ATTRIBUTES))) < 0.5
    names = np.array(CELEBA_ATTRIBUTES, dtype=object)
    data = named(rows.assign(attributes=[names[row].tolist() for row in held]), store, split)
    asked = run(attributes="celeba")
    states, _, _ = train(asked, tmp_path, data, {})
    predictions, _, facts = predict(asked, {name: lambda state=state: state for name, state in states.items()}, data)
    assert predictions["task"].nunique() == 40
    evaluated = evaluate(predictions, facts)
    assert len(evaluated["results_table"]) == 2 * 40
    shown = to_markdown(evaluated["results_table"], [])
    assert len(shown.splitlines()) < 10
    assert "mean of 40 tasks, from attribute/" in shown


@pytest.mark.slow
def test_one_command_learns_the_backbone_and_then_the_method(copy_of_finished: Project) -> None:
    before = set((copy_of_finished.path / "data/06_models/baseline").iterdir())
    asked = ("--params", "baseline.initialisation.backbone=pretrain", "--tags", "trains")
    said = copy_of_finished.run("--pipelines", "baseline", *asked)
    own, other = (re.search(rf"running +{name}\.\S+\.train", said) for name in ("pretrain", "baseline"))
    assert own.start() < other.start()
    (made,) = set((copy_of_finished.path / "data/06_models/baseline").iterdir()) - before
    about = json.loads((made / "initialisation.json").read_text())
    assert about["initialisation"].startswith(
        "54 of 54 tensors from pretrain's dlib_resnet29 (attributes, synthetic_raf"
    )
