"""A method trained on one set and tested on another, with real faces of both."""

from types import SimpleNamespace

import pytest

from openfer.errors import DataError, ParameterError
from openfer.pipelines.cross_dataset import predict_elsewhere
from openfer.pipelines.evaluation_nodes import cross_dataset, cross_dataset_figure
from openfer.pipelines.in_use import choose, datasets_elsewhere
from openfer.pipelines.method_nodes import predict
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.training_nodes import train


def rows_of(faces, dataset):
    return faces.scenes.assign(licence="none", dataset=dataset, subject=faces.scenes["person"], attributes=None)


def run_of(**more):
    settings = {
        **{"method": "baseline", "datasets": ["fer"], "tested_on": ["seq"], "seed": 0, "images": {"crop": 64}},
        "training": {"selections": ["last"]},
        "settings": {"schedule": {"epochs": 1, "batch_size": 28, "learning_rate": 1e-3}},
    }
    return MethodRun.model_validate(settings | more)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_faces, tiny_sequences):
    """One epoch on 28 faces; six people with two sequences each are the other set."""
    rows = rows_of(tiny_faces, "fer")
    split = rows[["sample_id"]].assign(fold=0, role=["train"] * 28 + ["val"] * 7 + ["test"] * 21)
    own = (rows, tiny_faces.store, split)
    states, _, _ = train(run_of(), tmp_path_factory.mktemp("work"), *own)
    others = rows_of(tiny_sequences, "seq")
    side = others[["sample_id"]].assign(fold=3, role="test")
    models = {"last": lambda: states["last"]}
    return SimpleNamespace(models=models, state=states["last"], own=own, other=(others, tiny_sequences.store, side))


def test_all_faces_of_the_other_set_are_predicted_whatever_its_folds(trained):
    table = predict_elsewhere(run_of(), trained.models, *trained.own, *trained.other)
    assert len(table) == len(trained.other[0])
    assert set(table["dataset"]) == {"seq"}
    assert set(table["method"]) == {"baseline"}
    assert table["subject"].nunique() == 6


def test_faces_of_a_class_that_the_model_does_not_know_are_left_out(trained):
    rows, store, side = trained.other
    strange = rows["expression"].where(rows["expression"] != "fear", "contempt")
    table = predict_elsewhere(run_of(), trained.models, *trained.own, rows.assign(expression=strange), store, side)
    assert len(table) == (rows["expression"] != "fear").sum()
    assert "contempt" not in set(table["y_true"])
    with pytest.raises(DataError, match=r"no tested face of seq has a class that baseline knows, it has contempt"):
        predict_elsewhere(run_of(), trained.models, *trained.own, rows.assign(expression="contempt"), store, side)


def test_a_set_that_the_model_or_its_start_learned_from_is_refused(trained):
    trained.state.facts["learned_from"] = ["fer", "seq"]
    with pytest.raises(ParameterError, match="tested_on names seq, but baseline, or what it started from, learned"):
        predict_elsewhere(run_of(), trained.models, *trained.own, *trained.other)
    trained.state.facts["learned_from"] = ["fer"]


def test_faces_that_trained_under_another_name_are_refused(trained):
    other = trained.own[2].assign(role="test")
    with pytest.raises(DataError, match="35 tested faces of seq are faces of fer that the model learned from"):
        predict_elsewhere(run_of(), trained.models, *trained.own, trained.own[0], trained.own[1], other)


def test_the_matrix_has_the_own_test_side_and_the_other_set_with_what_both_share(trained):
    own, _, facts = predict(run_of(), trained.models, *trained.own)
    table = cross_dataset(own, facts, predict_elsewhere(run_of(), trained.models, *trained.own, *trained.other))
    accuracy = table[table["metric"] == "accuracy"].set_index("tested_on")
    assert accuracy["trained_on"].tolist() == ["fer", "fer"]
    assert accuracy["within"].to_dict() == {"fer": True, "seq": False}
    assert accuracy["n"].tolist() == [21, len(trained.other[0])]
    assert "neutral" in accuracy.loc["fer", "shared"]
    assert "neutral" not in accuracy.loc["seq", "shared"]
    axes = cross_dataset_figure(table).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["fer", "seq"]
    assert f"n = {len(trained.other[0])}, 6 classes" in axes.texts[1].get_text()
    assert len(axes.patches) == 1


def test_the_set_is_in_the_lineage_of_the_method_and_of_the_summary():
    from openfer.pipeline_registry import register_pipelines

    try:
        choose({"oadn": {"tested_on": ["synthetic_sequences"]}, "compared": ["baseline", "oadn"]})
        pipelines = register_pipelines()
    finally:
        choose({})
    nodes = {node.name: node for node in pipelines["oadn"].nodes}
    assert nodes["oadn.predict_elsewhere"].inputs[-1] == "synthetic_sequences_known_landmarks"
    assert "synthetic_sequences.render" in nodes
    assert "oadn.predict_elsewhere" not in {node.name for node in pipelines["baseline"].nodes}
    matrix = next(node for node in pipelines["evaluation"].nodes if node.name == "summary.cross_dataset")
    assert matrix.inputs == ["oadn_predictions", "oadn_facts", "oadn_elsewhere"]


@pytest.mark.parametrize("names", ["synthetic_raf", [1], ["synthetic_fer"], ["mine", "mine"]])
def test_a_choice_of_other_sets_that_is_none_is_refused(names):
    try:
        with pytest.raises(ParameterError, match=r"baseline\.tested_on"):
            choose({"baseline": {"tested_on": names}})
    finally:
        choose({})
    assert datasets_elsewhere("baseline") == ()
