"""Curves arrive once, whole, and under names that tell whose they are."""

import pytest
from small_method import EPOCHS, fresh, painted_store, train

from openfer.training.tracking import MlflowTracker, active_run


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
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    client = mlflow.MlflowClient()
    with mlflow.start_run(experiment_id=client.create_experiment("test")) as run:
        tracker = MlflowTracker()
        tracker.epoch("addl", "joint", 1, {"train/main/classification": 2.0, "train/odd": float("nan")})
        again = MlflowTracker()
        for epoch in (1, 2):
            again.epoch("addl", "joint", epoch, {"train/main/classification": 2.0 / epoch})
    history = client.get_metric_history(run.info.run_id, "addl/train/main/classification")
    assert [(metric.step, metric.value) for metric in history] == [(1, 2.0), (2, 1.0)]


def test_without_a_run_in_progress_nothing_is_logged():
    assert active_run() is None
    MlflowTracker().epoch("addl", "joint", 1, {"train/x": 1.0})
