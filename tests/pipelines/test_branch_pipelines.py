"""ESR and MA-Net from the first face to their figures, at tiny sizes."""

from pathlib import Path

import pandas as pd
import pytest

from tests.pipelines.in_process import Workshop

pytestmark = pytest.mark.slow

ESR = """
esr:
  settings:
    branches: 2
    schedule: {epochs: 1, batch_size: 8, sampling: {per_class: 2}}
    growth: {epochs: 1}
"""
MANET = "manet: {settings: {schedule: {epochs: 1, batch_size: 8}}}"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    made = Workshop.new(tmp_path_factory.mktemp("branches") / "project")
    for name, parameters in (("esr", ESR), ("manet", MANET)):
        (made.path / f"conf/local/parameters/{name}.yml").write_text(parameters)
    return made


def pictures(workshop: Workshop, method: str) -> set[str]:
    return {file.stem for file in Path(workshop.path, "data/08_reporting", method).glob("*.png")}


def test_esr_leaves_early_without_training_again(workshop: Workshop) -> None:
    assert "esr.train" in workshop.run("esr", "synthetic_fer")
    assert {"branches", "similarity", "attention", "augmented", "confusion"} <= pictures(workshop, "esr")
    table = pd.read_csv(workshop.path / "data/08_reporting/esr/branches.csv")
    assert table[table["role"] == "test"]["branches"].tolist() == [1, 2]
    history = pd.read_csv(workshop.path / "data/06_models/esr/history.csv")
    assert history["stage"].unique().tolist() == ["branch_1", "branch_2"]

    again = workshop.run("esr", "synthetic_fer", esr={"settings": {"early_exit": 1}})
    assert "esr.predict" in again
    assert "esr.train" not in again
    metrics = pd.read_json(workshop.path / "data/08_reporting/esr/metrics.json")
    unchanged = pd.read_csv(workshop.path / "data/08_reporting/esr/branches.csv")
    assert unchanged.equals(table)
    first = table[(table["role"] == "test") & (table["branches"] == 1)]["vote"].item()
    assert metrics["expression.best_val"]["accuracy"] == pytest.approx(first)


def test_a_plain_esr_has_no_gates_to_compare_and_says_so(workshop: Workshop) -> None:
    workshop.run("esr", "synthetic_fer", esr={"settings": {"attention": False, "diversify": [], "branches": 1}})
    assert {"branches", "similarity", "attention"} <= pictures(workshop, "esr")


def test_manet_shows_how_its_parts_differ_and_where_they_look(workshop: Workshop) -> None:
    assert "manet.train" in workshop.run("manet", "synthetic_fer")
    assert {"similarity", "attention", "augmented", "confusion"} <= pictures(workshop, "manet")
