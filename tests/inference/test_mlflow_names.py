"""Models that are named by their address in MLflow, with its own database."""

import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from openfer.errors import CheckpointError, ParameterError
from openfer.inference.model_names import model_path


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> tuple[Path, str, str]:
    """A project's folder with one exported run; the MLflow runs of that run and of the command around it."""
    root = tmp_path_factory.mktemp("project")
    uri = f"sqlite:///{root / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment("openfer", artifact_location=(root / "mlartifacts").as_uri())
    command = client.create_run(experiment).info.run_id
    run = client.create_run(experiment, tags={"slug": "addl-s0"}).info.run_id
    client.create_registered_model("addl")
    client.create_model_version("addl", source=(root / "mlartifacts").as_uri(), run_id=run)
    return root, run, command


@pytest.fixture(autouse=True)
def _here(project: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project[0])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_an_address_of_mlflow_means_the_exported_file_of_its_run(project: tuple[Path, str, str]) -> None:
    root, run, _ = project
    with pytest.raises(CheckpointError, match="is the run addl-s0, which has no exported file"):
        model_path("models:/addl/1")
    made = root / "data/06_models/exported/addl-s0/model.onnx"
    made.parent.mkdir(parents=True)
    made.touch()
    for name in ("models:/addl/1", f"runs:/{run}", f"runs:/{run}/model.onnx"):
        assert model_path(name).absolute() == made


def test_an_address_without_a_run_of_openfer_is_one_worded_error(project: tuple[Path, str, str]) -> None:
    for name, words in {
        "models:/addl/2": "gives no model models:/addl/2",
        "models:/nobody/1": "gives no model models:/nobody/1",
        "runs:/0123": "gives no model runs:/0123",
        "models:/addl": "is no address of a model",
        f"runs:/{project[2]}": "has no tag `slug`",
    }.items():
        with pytest.raises(CheckpointError, match=words):
            model_path(name)


def test_a_folder_without_a_database_is_an_error_and_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"mlflow\.db does not exist"):
        model_path("models:/addl/1")
    assert not list(tmp_path.iterdir())


def test_where_mlflow_is_missing_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(
        ParameterError, match=r"the package mlflow, .* `pip install 'openfer\[train\]'`, or give .*onnx"
    ):
        model_path("models:/addl/1")
