"""A run's labels, counted and checked before any run of the same command trains."""

import pytest

from openfer.errors import DataError, ParameterError
from openfer.pipelines.checking import labels
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.sources import Source
from openfer.runs.project import plan
from openfer.runs.settings import RunSettings
from tests.pipelines.tiny_project import METHOD, TinyProject, tables


@pytest.fixture
def source(tiny_faces):
    rows, split = tables("a", tiny_faces)
    return Source(rows, tiny_faces.store, split)


def run_of(**changes):
    return RunSettings.model_validate(METHOD | {"method": "baseline"} | changes)


def test_the_labels_of_each_role_are_counted(source):
    counted = labels({}, run_of(), {"a": source})
    by_role = counted.groupby("role")["n"].sum()
    assert by_role.to_dict() == {"train": 28, "val": 14, "test": 14}
    assert len(counted) == 3 * counted["class"].nunique()


def test_an_expression_that_the_options_promise_and_no_training_face_shows_is_named(source):
    lacking = source.without(["fear"])
    words = (
        r"a has no training face of contempt, fear in fold 0, .*; it has .* or set baseline\.leave_out to \[contempt, "
    )
    with pytest.raises(DataError, match=words):
        labels({"a": ["anger", "contempt", "fear"]}, run_of(), {"a": lacking})
    labels({"a": ["anger", "contempt", "fear"]}, run_of(leave_out=["fear", "contempt"]), {"a": lacking})


def test_batches_that_cannot_show_the_classes_that_there_are_equally_often_are_refused(source):
    schedule = METHOD["settings"]["schedule"] | {"batch_size": 8, "sampling": {"kind": "balanced_batches"}}
    with pytest.raises(ParameterError, match=r"batches of 8, which cannot show 7 classes .* such as 7"):
        labels({}, run_of(settings={"schedule": schedule}), {"a": source})


def test_an_epoch_is_not_chosen_by_faces_that_are_not_there(source):
    alone = Source(source.rows, source.store, source.split.assign(role="train"))
    with pytest.raises(ParameterError, match="there is no validation set, and best_val chooses an epoch by it"):
        labels({}, run_of(), {"a": alone})


def test_a_run_that_cannot_learn_is_refused_before_its_prerequisite_trains(tmp_path, tiny_faces):
    project = TinyProject(tmp_path / "data")
    for name in ("a", "b"):
        project.bring(name, tiny_faces)
    project.save("a_split", project.load("a_split").assign(role="train"))
    addl = METHOD | {"method": "addl", "settings": METHOD["settings"] | {"factors": ["gender", "race", "identity"]}}
    asked = plan({"addl": addl, "dfem": METHOD | {"method": "dfem", "datasets": ["b"]}})
    with pytest.raises(ParameterError, match="there is no validation set"):
        project.run(runs_pipeline(asked.requested["addl"], asked.datasets), asked)
    assert not list((project.root / "06_models").glob("dfem/*/selected/*"))
