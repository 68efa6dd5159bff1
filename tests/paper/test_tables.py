"""Every table and figure of the papers has a command that plans, or a reason why not; and the page in docs says so."""

import re
import runpy
from types import SimpleNamespace
from typing import Any

import pytest

from openfer.evaluation.published import published_table
from openfer.pipelines.complexity.pipeline import create_pipeline
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.study.pipeline import study_pipeline
from openfer.runs.datasets import Datasets
from openfer.runs.plan import Planner
from openfer.runs.study import plan_study
from openfer.runs.unfit import refuse_unfit
from tests.pipelines.conftest import ROOT
from tests.pipelines.plans import project_parameters, project_plan

TOOL = SimpleNamespace(**runpy.run_path(str(ROOT / "tools/tables.py"), run_name="tables"))
FOUND: dict[str, list[dict[str, Any]]] = TOOL.read()
ROWS = [(paper, row) for paper, rows in FOUND.items() for row in rows]
STUDIES = sorted({row["study"] for _, row in ROWS if "study" in row})
PIPELINES = {TOOL.command(row): row for _, row in ROWS if "pipeline" in row}
PAPERS = {
    "addl": "ADDL",
    "diversified": "Diversified features",
    "oadn": "OADN",
    "sna": "SNA",
    "fdrl_eca": "FDRL-ECANet",
}


def test_the_page_is_written_from_the_list():
    assert TOOL.PAGE.read_text() == TOOL.page(FOUND), "run `python tools/tables.py`"


@pytest.mark.parametrize(("paper", "row"), ROWS, ids=[f"{paper}, {row['item']}" for paper, row in ROWS])
def test_every_row_has_a_command_with_its_files_or_says_why_not(paper, row):
    assert (
        {"item", "shows"} < set(row) <= {"item", "shows", "study", "pipeline", "params", "outputs", "note", "why_not"}
    )
    assert len({"study", "pipeline", "why_not"} & set(row)) == 1
    assert ("outputs" in row) == ("why_not" not in row)


def test_every_table_with_a_published_figure_is_on_the_list():
    printed = published_table()[["paper", "table"]].drop_duplicates()
    for paper, table in printed.itertuples(index=False):
        name = re.sub(r"^(Table 7)[abc]$", r"\1", table)
        if name.startswith("text"):
            continue
        items = [row["item"] for row in FOUND[PAPERS[paper]]]
        assert name in items, f"{name} of {paper}"


def test_every_study_of_the_list_plans_and_makes_its_files():
    parameters = {name: value for name, value in project_parameters("paper").items() if not name.startswith("_")}
    datasets = Datasets(parameters)
    planner = Planner(parameters, datasets)
    for name in STUDIES:
        one_seed = parameters[name] | {"seeds": [0]}  # tests/runs plans all
        planned = plan_study(name, parameters | {name: one_seed}, planner)
        for run in planned.runs.values():
            for part in run.chain():
                refuse_unfit(part, datasets)
        made = study_pipeline(planned, datasets).all_outputs()
        for row in (row for _, row in ROWS if row.get("study") == name):
            assert not _lacking(row, made), f"{name}: {_lacking(row, made)}"


@pytest.mark.parametrize("command", PIPELINES)
def test_every_pipeline_of_the_list_plans_and_makes_its_files(command):
    rows = [row for _, row in ROWS if "pipeline" in row and TOOL.command(row) == command]
    name, params = rows[0]["pipeline"], rows[0].get("params", {})
    if name == "complexity":
        made = create_pipeline().all_outputs()
    else:
        changes: dict[str, Any] = {}
        for path, value in params.items():
            top, _, inner = path.partition(".")
            changes[top] = {inner: value} if inner else value
        planned = project_plan("paper", **changes)
        requested = planned.requested[name]
        assert all(params["dataset"] in run.settings.datasets for run in requested)
        made = runs_pipeline(requested, planned.datasets).all_outputs()
    for row in rows:
        assert not _lacking(row, made), f"{command}: {_lacking(row, made)}"


def _lacking(row: dict[str, Any], made: set[str]) -> list[str]:
    return [name for name in row["outputs"] if not any(output.endswith(f".{name}") for output in made)]
