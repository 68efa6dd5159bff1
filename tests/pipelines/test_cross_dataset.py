"""A method trained on one set and tested on another, with real faces of both."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from openfer.errors import DataError, ParameterError
from openfer.pipelines.cross_dataset import predict_elsewhere
from openfer.pipelines.evaluation.pipeline import comparison_pipeline
from openfer.pipelines.evaluation_nodes import cross_dataset, cross_dataset_figure
from openfer.pipelines.predicting import predict
from openfer.pipelines.sources import Source
from openfer.pipelines.train import train
from openfer.runs.settings import RunSettings
from tests.pipelines.plans import method_nodes, project_plan


def rows_of(faces, dataset):
    return faces.scenes.assign(licence="none", dataset=dataset, subject=faces.scenes["person"], attributes=None)


def run_of(**more):
    settings = {
        **{"method": "baseline", "datasets": ["fer"], "test_datasets": ["seq"], "seed": 0, "images": {"crop": 64}},
        "training": {"selections": ["last"]},
        "settings": {"schedule": {"epochs": 1, "batch_size": 28, "learning_rate": 1e-3}},
    }
    return RunSettings.model_validate(settings | more)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_faces, tiny_sequences):
    """One epoch on 28 faces; six people with two sequences each are the other set."""
    rows = rows_of(tiny_faces, "fer")
    split = rows[["sample_id"]].assign(fold=0, role=["train"] * 28 + ["val"] * 7 + ["test"] * 21)
    own = Source(rows, tiny_faces.store, split)
    states, _, _ = train(run_of(), tmp_path_factory.mktemp("work"), {"fer": own}, {})
    others = rows_of(tiny_sequences, "seq")
    side = others[["sample_id"]].assign(fold=3, role="test")
    models = {"last": lambda: states["last"]}
    return SimpleNamespace(
        models=models, state=states["last"], own=own, other=Source(others, tiny_sequences.store, side)
    )


def elsewhere(trained, **changes):
    """Predict the other dataset, with other parts of it."""
    sources = {"fer": trained.own, "seq": replace(trained.other, **changes)}
    return predict_elsewhere(run_of(), trained.models, sources)


def test_all_faces_of_the_other_set_are_predicted_whatever_its_folds(trained):
    table = elsewhere(trained)
    assert len(table) == len(trained.other.rows)
    assert set(table["dataset"]) == {"seq"}
    assert set(table["method"]) == {"baseline"}
    assert table["subject"].nunique() == 6


def test_faces_of_a_class_that_the_model_does_not_know_are_left_out(trained):
    rows = trained.other.rows
    strange = rows["expression"].where(rows["expression"] != "fear", "contempt")
    table = elsewhere(trained, rows=rows.assign(expression=strange))
    assert len(table) == (rows["expression"] != "fear").sum()
    assert "contempt" not in set(table["y_true"])
    with pytest.raises(DataError, match=r"no tested face of seq has a class that baseline knows, it has contempt"):
        elsewhere(trained, rows=rows.assign(expression="contempt"))


def test_a_set_that_the_model_or_its_start_learned_from_is_refused(trained):
    trained.state.facts["learned_from"] = ["fer", "seq"]
    with pytest.raises(ParameterError, match="test_datasets names seq, but baseline, or a prerequisite of it, learned"):
        elsewhere(trained)
    trained.state.facts["learned_from"] = ["fer"]


def test_faces_that_trained_under_another_name_are_refused(trained):
    own = trained.own
    with pytest.raises(DataError, match="35 tested faces of seq are faces of fer that the model learned from"):
        elsewhere(trained, rows=own.rows, store=own.store, split=own.split.assign(role="test"))


def test_the_matrix_has_the_own_test_side_and_the_other_set_with_what_both_share(trained):
    own, _, facts = predict(run_of(), trained.models, {"fer": trained.own})
    table = cross_dataset({"one": {"predictions": own, "facts": facts, "elsewhere": elsewhere(trained)}})
    accuracy = table[table["metric"] == "accuracy"].set_index("tested_on")
    assert accuracy["trained_on"].tolist() == ["fer", "fer"]
    assert accuracy["within"].to_dict() == {"fer": True, "seq": False}
    assert accuracy["n"].tolist() == [21, len(trained.other.rows)]
    assert "neutral" in accuracy.loc["fer", "shared"]
    assert "neutral" not in accuracy.loc["seq", "shared"]
    axes = cross_dataset_figure(table).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["fer", "seq"]
    assert f"n = {len(trained.other.rows)}, 6 classes" in axes.texts[1].get_text()
    assert len(axes.patches) == 1


def test_the_set_is_in_the_lineage_of_the_method_and_of_the_summary():
    changes = {"oadn": {"test_datasets": ["synthetic_sequences"]}, "compared_methods": ["baseline", "oadn"]}
    nodes = method_nodes("oadn", **changes)
    assert "synthetic_sequences_known_landmarks" in nodes["oadn.predict_elsewhere"].inputs
    assert "synthetic_sequences.render" in nodes
    assert "baseline.predict_elsewhere" not in method_nodes("baseline", **changes)
    plan = project_plan(**changes)
    matrix = next(node for node in comparison_pipeline(plan).nodes if node.name == "summary.cross_dataset")
    slug = plan.requested["oadn"][0].slug
    assert matrix.inputs == [f"{slug}_predictions", f"{slug}_facts", f"{slug}_elsewhere"]


@pytest.mark.parametrize("names", ["synthetic_raf", [1], ["synthetic_fer"], ["mine", "mine"]])
def test_a_choice_of_other_sets_that_is_none_is_refused(names):
    with pytest.raises(ParameterError, match=r"baseline\.test_datasets"):
        project_plan(baseline={"test_datasets": names})


def test_which_other_datasets_are_tested_does_not_change_the_identity_of_the_run():
    first, second = (
        project_plan(baseline={"test_datasets": names}).requested["baseline"][0] for names in ([], ["synthetic_raf"])
    )
    assert first.slug == second.slug
