"""MLflow fails in the middle: work goes on, and what was not sent is sent later or kept."""

from pathlib import Path

import mlflow
import pytest

from openfer.io.outbox import Outbox

NOBODY = "http://127.0.0.1:9"
"""Nothing listens there."""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(tmp_path)  # tracebacks go to its folder logs
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    yield uri
    mlflow.set_tracking_uri(None)


def used(uri: str) -> mlflow.MlflowClient:
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient()


@pytest.mark.slow
def test_what_a_server_has_missed_is_sent_when_it_is_back(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = used(database)
    experiment = client.create_experiment("test", artifact_location=(tmp_path / "artifacts").as_uri())
    outbox = Outbox()
    first = outbox.create_run(experiment, "first", {"slug": "a"})
    outbox.log(first, [("loss", 2.0, 1, 1)])
    used(NOBODY)
    for epoch in (2, 3):
        outbox.log(first, [("loss", 2.0 / epoch, epoch, epoch)])
    second = outbox.create_run(experiment, "second", {"slug": "b"})
    outbox.log(second, parameters={"seed": "1"}, tags={"row": "Baseline"})
    (tmp_path / "table.csv").write_text("a")
    outbox.log_artifact(first, tmp_path / "table.csv", "tables")
    for run in (first, second):
        outbox.end(run, "FINISHED")
    assert outbox.lost
    assert caplog.text.count("WARNING: MLflow failed") == 1
    assert outbox.flush() == 7  # it is still away

    outbox.keep(tmp_path / "unsent.jsonl")
    later = Outbox()
    later.take(tmp_path / "unsent.jsonl")
    client = used(database)
    assert later.flush() == 0
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert [metric.step for metric in client.get_metric_history(runs["first"].info.run_id, "loss")] == [1, 2, 3]
    assert (runs["second"].data.params, runs["second"].data.tags["row"]) == ({"seed": "1"}, "Baseline")
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert (tmp_path / "artifacts" / runs["first"].info.run_id / "artifacts/tables/table.csv").is_file()


def test_nothing_is_sent_after_a_failure_until_the_end(database: str) -> None:
    used(NOBODY)
    outbox, calls = Outbox(), []
    assert outbox.attempt(lambda: mlflow.MlflowClient().search_experiments()) is None
    assert outbox.attempt(lambda: calls.append(1)) is None
    assert calls == []
