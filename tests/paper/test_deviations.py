"""The list of deviations is complete, true and the page in docs."""

import fnmatch
import runpy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from openfer.methods.declaration import METHODS
from openfer.runs.datasets import describes_dataset
from openfer.runs.study import is_study
from tests.paper import configuration
from tests.pipelines.conftest import ROOT
from tests.pipelines.plans import project_parameters

TOOL = SimpleNamespace(**runpy.run_path(str(ROOT / "tools/deviations.py"), run_name="deviations"))
FOUND = TOOL.read()
ROWS = [(paper, row) for paper, rows in FOUND["deviations"].items() for row in rows]
NAMED = [row for _, row in ROWS if row["parameter"] is not None]
KEYS = {"where", "says", "parameter", "default", "under_paper", "why"}


def test_the_page_is_written_from_the_list() -> None:
    assert TOOL.PAGE.read_text() == TOOL.page(FOUND), "run `python tools/deviations.py`"


@pytest.mark.parametrize(("paper", "row"), ROWS, ids=[f"{paper}, {row['says'][:40]}" for paper, row in ROWS])
def test_every_row_says_all_that_a_reader_asks(paper: str, row: dict[str, Any]) -> None:
    assert KEYS <= set(row) <= KEYS | {"dataset"}
    assert all(str(row[key]).strip() for key in KEYS - {"parameter"})


@pytest.mark.parametrize("row", NAMED, ids=[row["parameter"] for row in NAMED])
def test_a_row_s_values_are_what_the_configuration_gives(row: dict[str, Any]) -> None:
    found = configuration.resolved(row["parameter"], "base")
    assert configuration.plain(found) == row["default"]
    found = configuration.resolved(row["parameter"], "paper", row.get("dataset", "raf_db"))
    assert configuration.plain(found) == row["under_paper"]


def test_every_deviation_of_the_default_is_stated_for_the_paper_or_stays_with_a_reason() -> None:
    patterns = [pattern for kept in FOUND["stays"] for pattern in kept["parameters"]]
    named = [row["parameter"] for row in NAMED]
    silent = [
        name
        for name in deviating()
        if not configuration.stated(name)
        and name not in named
        and not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    ]
    assert silent == [], "state each in conf/paper, or in docs/deviations.yml why it stays"


def test_nothing_stays_that_does_not_deviate() -> None:
    deviates = list(deviating())
    for kept in FOUND["stays"]:
        for pattern in kept["parameters"]:
            assert any(fnmatch.fnmatch(name, pattern) for name in deviates), f"{pattern} names no deviation"


def deviating() -> Iterator[str]:
    """Yield all of conf/base that differs from the default of its model or has none, and every global."""
    yield from (f"globals.{name}" for name in configuration.base_globals())
    parameters = project_parameters("base")
    for name, runs in configuration.planned("base").requested.items():
        yield from (f"{name}.{path}" for path in configuration.unlike_its_model(runs[0].settings))
    for name, value in parameters.items():
        if describes_dataset(value):
            yield from configuration.unlike_its_models(name)
        elif not (name in METHODS or is_study(value) or name.startswith("_")):
            yield name
