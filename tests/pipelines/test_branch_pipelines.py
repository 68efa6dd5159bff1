"""ESR from its faces to its figures, and an early exit of it; those of MA-Net are drawn in tests/paper."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.runs.project import plan
from tests.conftest import TinyFaces
from tests.pipelines.tiny_project import METHOD, TinyProject

SAMPLING = {"kind": "balanced_subset", "per_class": 2}
SCHEDULE = {"epochs": 1, "batch_size": 8, "learning_rate": 0.01, "sampling": SAMPLING}
SETTINGS = {"branches": 2, "schedule": SCHEDULE, "growth": {"epochs": 1}}
PICTURES = ("similarity_figure", "attention", "branches_figure")


@pytest.fixture
def project(tmp_path: Path, tiny_faces: TinyFaces) -> TinyProject:
    made = TinyProject(tmp_path / "data")
    made.bring("a", tiny_faces)
    return made


def run(project: TinyProject, *ends: str, **changes: Any) -> tuple[set[str], Path, Path]:
    """Run ESR up to some nodes; returns the nodes that ran, without the run's slug, and two folders of the run."""
    block = METHOD | {"method": "esr", "images": {"size": 56, "crop": 56}, "settings": SETTINGS | changes}
    asked = plan({"esr": block})
    (requested,) = asked.requested["esr"]
    pipeline = runs_pipeline([requested], asked.datasets)
    ran = project.run(pipeline.to_nodes(*(f"{requested.namespace}.{end}" for end in ends)), asked)
    reports, models = (project.root / layer / "esr" / requested.slug for layer in ("08_reporting", "06_models"))
    return {name.rpartition(".")[2] for name in ran}, reports, models


def pictures(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.png")}


@pytest.mark.slow
def test_esr_leaves_early_without_training_again(project: TinyProject) -> None:
    ran, reports, models = run(project, "finish", *PICTURES)
    assert "train" in ran
    assert {"branches", "similarity", "attention", "confusion"} <= pictures(reports)
    table = pd.read_csv(reports / "branches.csv")
    assert table[table["role"] == "test"]["branches"].tolist() == [1, 2]
    history = pd.read_csv(models / "history.csv")
    assert history["stage"].unique().tolist() == ["branch_1", "branch_2"]

    again, early, its_models = run(project, "finish", "branches", early_exit=1)
    assert "predict" in again
    assert "train" not in again
    assert [file.name for file in its_models.iterdir() if not file.name.startswith(".")] == ["run.json"]
    metrics = pd.read_json(early / "metrics.json")
    unchanged = pd.read_csv(early / "branches.csv")
    assert unchanged.equals(table)
    first = table[(table["role"] == "test") & (table["branches"] == 1)]["vote"].item()
    assert metrics["expression.best_val"]["accuracy"] == pytest.approx(first)


@pytest.mark.slow
def test_a_plain_esr_has_no_gates_to_compare_and_says_so(project: TinyProject) -> None:
    _, reports, _ = run(project, *PICTURES, attention=False, diversify=[], branches=1)
    assert {"branches", "similarity", "attention"} <= pictures(reports)
