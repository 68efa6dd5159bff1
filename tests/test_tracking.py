import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node
from pydantic import ValidationError

from openfer.errors import TrackingError
from openfer.io.outbox import Outbox
from openfer.tracking import MlflowHook, TrackingSettings, _absolute_uri, _tags, flatten


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="tracking_url"):
        TrackingSettings.model_validate({"tracking_url": "sqlite:///x.db"})


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("sqlite:///mlflow.db", "sqlite:////project/mlflow.db"),
        ("sqlite:////elsewhere/mlflow.db", "sqlite:////elsewhere/mlflow.db"),
        ("https://mlflow.example.org", "https://mlflow.example.org"),
    ],
)
def test_only_a_relative_database_lies_in_the_project(uri: str, absolute: str) -> None:
    assert _absolute_uri(uri, Path("/project")) == absolute


def started(tmp_path: Path, uri: str) -> MlflowHook:
    """Return a hook before the first node of a command."""
    hook = MlflowHook()
    hook.after_context_created(
        SimpleNamespace(config_loader={"mlflow": {"tracking_uri": uri, "system_metrics": False}}, project_path=tmp_path)
    )
    hook.before_pipeline_run({"pipeline_names": ["test"]}, Pipeline([]), DataCatalog())
    return hook


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://127.0.0.1:9", "ConnectionRefusedError: .* Start the server, or correct MLFLOW_TRACKING_URI"),
        ("sqlite:////proc/nowhere/mlflow.db", "cannot be used: .* Free space on its disk, check its permissions"),
        ("nonsense://x", "cannot be used: "),
    ],
)
def test_an_mlflow_that_cannot_be_used_is_one_error_before_any_work(
    tmp_path: Path, uri: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)  # the hook sets it too; it is gone after the test
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(tmp_path)  # the traceback goes to its folder logs
    hook = started(tmp_path, uri)
    with pytest.raises(TrackingError, match=words) as refused:
        hook.before_node_run(node(lambda: 1, None, "one", name="first"))
    assert "`enabled: false`" in str(refused.value)
    assert "\n" not in str(refused.value)
    mlflow.set_tracking_uri(None)


@contextmanager
def full_disk() -> Iterator[None]:
    """Refuse each byte beyond 64 KiB of a file, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
def test_a_full_disk_below_the_database_is_worded_and_its_traceback_is_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(uri)
    experiment = mlflow.MlflowClient().create_experiment("openfer")
    outbox = Outbox()
    run = outbox.create_run(experiment, "one", {})
    capfd.readouterr()

    first = node(lambda: 1, None, "one", name="first")
    with (
        full_disk(),
        pytest.raises(TrackingError, match=r"OperationalError: .*disk.*\. Free space on its disk") as refused,
    ):
        started(tmp_path, uri).before_node_run(first)
    with full_disk():
        outbox.log(run, tags={"long": "word" * 1000})

    assert "Traceback" not in capfd.readouterr().err
    (kept,) = (tmp_path / "logs").glob("error_*.log")
    assert str(refused.value).endswith(f"The traceback is in {kept}")
    assert kept.read_text().count("Traceback (most recent call last)") >= 2
    assert "WARNING: MLflow failed (OperationalError: " in caplog.text
    assert outbox.flush() == 0
    mlflow.set_tracking_uri(None)


def test_nested_parameters_get_dotted_names() -> None:
    assert flatten({"addl": {"seed": 0, "images": {"crop": 64}, "datasets": ["a", "b"]}}) == {
        "addl.seed": 0,
        "addl.images.crop": 64,
        "addl.datasets": ["a", "b"],
    }


def test_the_commit_and_its_cleanness_are_tags(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "one")
    tags = _tags({}, tmp_path)
    assert tags["git.commit"] == git("rev-parse", "HEAD")
    assert tags["git.state"] == "clean"
    (tmp_path / "file").write_text("2")
    assert _tags({}, tmp_path)["git.state"] == "changed"


def test_outside_git_the_tag_says_so(tmp_path: Path) -> None:
    assert _tags({}, tmp_path)["git.commit"] == "not a git checkout"
