"""ESR and MA-Net from the first face to their figures, at tiny sizes."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.pipelines.in_process import Workshop

pytestmark = pytest.mark.slow

ESR = """
esr:
  settings:
    branches: 2
    schedule: {epochs: 1, batch_size: 8, milestones: [], sampling: {per_class: 2}}
    growth: {epochs: 1}
"""
MANET = """
manet:
  images: {size: 76, crop: 72}
  settings: {schedule: {epochs: 1, warmup_epochs: 0, batch_size: 8}}
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    made = Workshop.new(tmp_path_factory.mktemp("branches") / "project")
    for name, parameters in (("esr", ESR), ("manet", MANET)):
        (made.path / f"conf/local/parameters/{name}.yml").write_text(parameters)
    return made


def run(workshop: Workshop, method: str, **changes: Any) -> tuple[set[str], Path, Path]:
    """Run a method's pipeline; returns the nodes that ran, without the run's slug, and two folders of the new run."""
    places = [Path(workshop.path, "data", layer, method) for layer in ("08_reporting", "06_models")]
    before = {folder for place in places if place.is_dir() for folder in place.iterdir()}
    ran = workshop.run(method, "synthetic_fer", **({method: changes} if changes else {}))
    (slug,) = {folder.name for folder in places[0].iterdir() if folder not in before}
    return {re.sub(r"\.[^.]+\.", ".", name) for name in ran}, places[0] / slug, places[1] / slug


def pictures(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.png")}


def test_esr_leaves_early_without_training_again(workshop: Workshop) -> None:
    ran, reports, models = run(workshop, "esr")
    assert "esr.train" in ran
    assert {"branches", "similarity", "attention", "augmented", "confusion"} <= pictures(reports)
    table = pd.read_csv(reports / "branches.csv")
    assert table[table["role"] == "test"]["branches"].tolist() == [1, 2]
    history = pd.read_csv(models / "history.csv")
    assert history["stage"].unique().tolist() == ["branch_1", "branch_2"]

    again, early, its_models = run(workshop, "esr", settings={"early_exit": 1})
    assert "esr.predict" in again
    assert "esr.train" not in again
    assert [file.name for file in its_models.iterdir() if not file.name.startswith(".")] == ["run.json"]
    metrics = pd.read_json(early / "metrics.json")
    unchanged = pd.read_csv(early / "branches.csv")
    assert unchanged.equals(table)
    first = table[(table["role"] == "test") & (table["branches"] == 1)]["vote"].item()
    assert metrics["expression.best_val"]["accuracy"] == pytest.approx(first)


def test_a_plain_esr_has_no_gates_to_compare_and_says_so(workshop: Workshop) -> None:
    _, reports, _ = run(workshop, "esr", settings={"attention": False, "diversify": [], "branches": 1})
    assert {"branches", "similarity", "attention"} <= pictures(reports)


def test_manet_shows_how_its_parts_differ_and_where_they_look(workshop: Workshop) -> None:
    ran, reports, _ = run(workshop, "manet")
    assert "manet.train" in ran
    assert {"similarity", "attention", "augmented", "confusion"} <= pictures(reports)
