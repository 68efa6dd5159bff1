"""Curves arrive once, whole, and under names that tell whose they are."""

import os

import pytest
from small_method import EPOCHS, fresh, painted_store, train

from openfer.training.tracking import MlflowTracker, child_run


class Listener:
    def __init__(self):
        self.epochs = []

    def epoch(self, label, stage, epoch, values):
        self.epochs.append((label, stage, epoch, values))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


def test_a_tracker_hears_of_every_epoch_once(tmp_path, store):
    listener = Listener()
    train(store, tmp_path, tracker=listener, label="fold 1")
    assert [entry[:3] for entry in listener.epochs] == [("fold 1", "only", epoch + 1) for epoch in range(EPOCHS)]
    assert {"train/main/total", "train/learning_rate/main", "val/accuracy/expression"} <= listener.epochs[0][3].keys()


def test_a_new_tracker_of_a_continued_run_gets_the_earlier_epochs_too(tmp_path, store):
    first, second = Listener(), Listener()
    train(store, tmp_path, tracker=first)
    train(store, tmp_path, fresh(), tracker=second)
    assert second.epochs == first.epochs


@pytest.mark.slow
def test_mlflow_has_every_epoch_once_even_after_a_second_telling(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    client = MlflowClient()
    run = client.create_run(client.create_experiment("test")).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run)
    tracker = MlflowTracker()
    tracker.epoch("addl", "joint", 1, {"train/main/classification": 2.0, "train/odd": float("nan")})
    again = MlflowTracker()
    for epoch in (1, 2):
        again.epoch("addl", "joint", epoch, {"train/main/classification": 2.0 / epoch})
    history = client.get_metric_history(run, "addl/train/main/classification")
    assert [(metric.step, metric.value) for metric in history] == [(1, 2.0), (2, 1.0)]


def test_without_a_run_nothing_is_logged(monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    MlflowTracker().epoch("addl", "joint", 1, {"train/x": 1.0})


@pytest.mark.slow
def test_a_child_run_that_fails_says_why_and_hands_back_to_its_parent(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    client = MlflowClient()
    experiment = client.create_experiment("test")
    parent = client.create_run(experiment).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", parent)

    def fails():
        with child_run("cell", {"seed": 1}) as log:
            assert os.environ["MLFLOW_RUN_ID"] != parent
            log({"accuracy": 0.5})
            raise ValueError("no face")

    with pytest.raises(ValueError, match="no face"):
        fails()
    assert os.environ["MLFLOW_RUN_ID"] == parent
    (child,) = [run for run in client.search_runs([experiment]) if run.info.run_id != parent]
    assert child.info.status == "FAILED"
    assert child.data.tags["error"] == "ValueError('no face')"
    assert (child.data.params["seed"], child.data.metrics["accuracy"]) == ("1", 0.5)
    assert child.data.tags["mlflow.parentRunId"] == parent
