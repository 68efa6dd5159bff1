import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from openfer.tracking import TrackingSettings, _absolute_uri, _tags, flatten


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
