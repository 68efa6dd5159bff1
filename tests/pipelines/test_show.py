"""What the terminal shows of an ingestion, and of runs without a table."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node

from openfer.hooks import ResultsHook
from openfer.io.runs import Run, RunDataset, RunRecord
from openfer.pipelines.show import show_elsewhere, show_ingested, show_prerequisites, show_runs
from openfer.runs.tags import REQUESTED


def test_a_reason_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = ['not an image (starts with "[/red]")'] * 2 + ["zero bytes"]
    counts = pd.DataFrame({"fold": 0, "class": ["fear"], "train": 4, "val": 1, "test": 2, "excluded": 3})
    leakage = pd.DataFrame(columns=["fold", "kind", "roles", "count", "verdict"])
    show_ingested("mine", 10, "2: .txt (2); such as a.txt, b.txt", pd.DataFrame({"reason": reasons}), counts, leakage)
    said = capsys.readouterr().out
    assert "10 rows = 7 faces + 3 in quarantine" in said
    assert '2 x not an image (starts with "[/red]")' in said
    assert "1 x zero bytes" in said
    assert "files that no row is of: 2: .txt (2); such as a.txt, b.txt" in said


def test_the_accuracy_on_other_datasets_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"tested_on": "mine", "metric": "accuracy", "value": 0.5, "low": 0.4, "high": 0.6, "n": 20, "shared": "fear"}
    show_elsewhere("baseline-s0-f0-3fa92c", pd.DataFrame([line, line | {"metric": "macro_f1", "value": 0.1}]))
    said = capsys.readouterr().out
    assert "baseline-s0-f0-3fa92c" in said
    assert "mine" in said
    assert "50.0" in said
    assert "40.0 to 60.0" in said
    assert "10.0" not in said


def ended(root: Path, slug: str, **record: Any) -> Run:
    dataset = RunDataset(path=str(root), method=slug.partition("-")[0], slug=slug)
    dataset.save(RunRecord.model_validate({"slug": slug, "state": "done", "settings": {}, "row": ""} | record))
    return dataset.load()


def test_a_prerequisite_is_one_line_with_its_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"age": {"accuracy": 0.5, "n": 20}, "affect": {"valence_ccc": 0.1}}
    show_prerequisites([ended(tmp_path, "dfem-s0-f0-3fa92c", scores=scores), ended(tmp_path, "pretrain-s0-f0-3fa92c")])
    said = capsys.readouterr().out.strip().splitlines()
    assert said == ["prerequisites:", "  dfem-s0-f0-3fa92c: age 50.0 %", "  pretrain-s0-f0-3fa92c: trained"]


def test_a_failed_run_is_one_line_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_runs([ended(tmp_path, "addl-s0-f0-3fa92c", state="failed", error="TrainingError: the loss is not finite")])
    said = capsys.readouterr().out.strip()
    assert said == "addl-s0-f0-3fa92c: failed, TrainingError: the loss is not finite"


def test_of_several_requested_runs_those_that_are_done_are_shown_beside_the_failed_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = {"pretrain-s0-f0-3fa92c": {}, "pretrain-s1-f0-3fa92c": {"state": "failed", "error": "DataError: gone"}}
    for slug, record in records.items():
        ended(tmp_path, slug, **record)
    nodes = [node(list, None, f"{slug}_run", name=slug, tags=REQUESTED) for slug in records]
    made = {f"{slug}_run": RunDataset(path=str(tmp_path), method="pretrain", slug=slug) for slug in records}
    for requested in (nodes, nodes[:1]):
        ResultsHook().on_pipeline_error(Pipeline(requested), DataCatalog(made))
    said = capsys.readouterr().out.strip().splitlines()
    assert said == ["pretrain-s0-f0-3fa92c: trained", "pretrain-s1-f0-3fa92c: failed, DataError: gone"]


def test_without_prerequisites_there_is_no_word_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    show_prerequisites([])
    assert capsys.readouterr().out == ""
