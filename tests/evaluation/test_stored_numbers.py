"""The numbers of the report, the tables and the comparisons for stored predictions, which no rewriting may change.

``stored/`` holds predictions of two methods with two seeds each for 290 rendered faces of 29 people, and their numbers.
``OPENFER_STORE_NUMBERS=1 pytest tests/evaluation/test_stored_numbers.py`` writes the numbers anew.
"""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.report.test_page import Page

from openfer.evaluation.entries import entries_of
from openfer.evaluation.leaderboard import leaderboard
from openfer.evaluation.metrics import METRICS, OF_FACES, named
from openfer.evaluation.published import published_table
from openfer.evaluation.published_rows import printed_figure
from openfer.evaluation.study_table import Wanted, compare_rows, study_table
from openfer.io.runs import LAYERS, Run, find_runs
from openfer.pipelines import evaluation_nodes
from openfer.report import report

STORED = Path(__file__).parent / "stored"
WRITE = bool(os.environ.get("OPENFER_STORE_NUMBERS"))
COLUMN = "RAF-DB"


@pytest.fixture(scope="module", autouse=True)
def _stored_metrics() -> Iterator[None]:
    """Leave out metrics that were added since; to store their numbers too, write all anew."""
    (scores, *_) = json.loads((STORED / "metrics.json").read_text()).values()
    with pytest.MonkeyPatch.context() as patch:
        for name in () if WRITE else set(named(*OF_FACES)) - set(scores):
            patch.delitem(METRICS, name)
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Run]:
    """The stored runs, as a project leaves them."""
    root = tmp_path_factory.mktemp("stored")
    facts = json.loads((STORED / "facts.json").read_text())
    groups = pd.read_parquet(STORED / "groups.parquet")
    for name, predictions in pd.read_parquet(STORED / "predictions.parquet").groupby("run"):
        method = str(predictions["method"].iloc[0])
        output, reporting = (root / layer / method / str(name) for layer in (LAYERS[1], LAYERS[2]))
        output.mkdir(parents=True)
        reporting.mkdir(parents=True)
        predictions.to_parquet(output / "predictions.parquet")
        (output / "facts.json").write_text(json.dumps(facts[str(name)]))
        for part, table in evaluation_nodes.by_group(predictions, {"synthetic_fer": groups}).items():
            table.to_csv(reporting / f"{part.removesuffix('_table')}.csv", index=False)
    return find_runs(root)


def same_table(name: str, found: pd.DataFrame) -> None:
    """Refuse a table that differs from the stored one in a cell or a column."""
    file = STORED / f"{name}.csv"
    if WRITE:
        found.to_csv(file, index=False)
    read = pd.read_csv(io.StringIO(found.to_csv(index=False)))
    pd.testing.assert_frame_equal(read, pd.read_csv(file), rtol=1e-9, atol=1e-12)


def same_values(name: str, found: object) -> None:
    """Refuse words or numbers that differ from the stored ones."""
    file = STORED / f"{name}.json"
    if WRITE:
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(json.dumps(found)) == json.loads(file.read_text())


def test_one_method_has_the_stored_scores_confusion_and_calibration(runs):
    made = evaluation_nodes.evaluate(runs[0].predictions, runs[0].facts)
    scores = made["metrics_json"].items()
    same_values("metrics", {place: {name: round(value, 9) for name, value in own.items()} for place, own in scores})
    for part in ("results", "per_class", "reliability"):
        same_table(part, made[f"{part}_table"])


def test_groups_and_their_gaps_are_the_stored_ones(runs):
    for part in ("groups", "gaps"):
        same_table(part, pd.concat([getattr(run, part) for run in runs], ignore_index=True))


def test_the_comparison_of_methods_is_the_stored_one(runs):
    made = evaluation_nodes.compare({run.name: run for run in runs})
    same_table("comparison", made["comparison_table"])
    same_table("summary", made["results_table"])
    same_values("sentences", made["sentences_json"])


def test_the_comparison_of_one_seed_has_the_stored_error_and_probability(runs):
    made = evaluation_nodes.compare({run.name: run for run in runs if run.facts[0]["seed"] == 0})
    same_table("comparison_of_one_seed", made["comparison_table"])


def test_leaderboard_and_ledger_are_the_stored_ones(runs):
    same_table("leaderboard", leaderboard(entries_of(runs), published_table()))
    same_table("ledger", report(runs, [], published_table()).ledger)


def test_the_tables_of_the_page_show_the_stored_numbers(runs):
    page = Page(report(runs, [], published_table()).page)
    same_values("page", {caption: rows for caption, rows in page.tables.items() if caption != "ledger of runs"})


def test_a_study_of_the_same_runs_has_the_stored_table_and_comparison(runs):
    answers, facts = [], []
    for run in runs:
        own = run.predictions
        key = {"row": str(own["method"].iloc[0]), "column": COLUMN, "seed": int(own["seed"].iloc[0]), "fold": 0}
        answers.append(own.assign(**key))
        facts += [fact | key | {"datasets": ", ".join(fact["datasets"])} for fact in run.facts]
    cells = pd.DataFrame(facts)[["row", "column", "seed", "fold"]].drop_duplicates().assign(state="done", error="")
    figure = printed_figure("addl", "Table 2", "Baseline", "", COLUMN, "accuracy")
    wanted = [
        Wanted(row, COLUMN, measure, (0, 1), (0,), ("synthetic_fer",), figure)
        for measure in ("accuracy", "macro_f1", "calibration_error")
        for row in ("baseline", "scn")
    ]
    together, known = pd.concat(answers, ignore_index=True), pd.DataFrame(facts)
    same_table("study", study_table(wanted, together, known, cells, pd.DataFrame()))
    same_table("study_comparison", compare_rows(["baseline", "scn"], together, known))
