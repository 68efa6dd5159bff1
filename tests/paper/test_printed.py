"""What the five papers print is what `--env paper` gives for their own datasets: one row a value."""

from typing import Any

import pytest
import yaml

from tests.paper import configuration
from tests.pipelines.conftest import ROOT

PRINTED = yaml.safe_load((ROOT / "tests/paper/printed.yml").read_text())
ROWS = [(paper, *row) for paper, rows in PRINTED.items() for row in rows]


@pytest.mark.parametrize(
    ("paper", "where", "dataset", "parameter", "value"),
    ROWS,
    ids=[f"{paper}, {where}: {name} on {dataset}" for paper, where, dataset, name, _ in ROWS],
)
def test_a_printed_value_is_that_of_the_environment_paper(
    paper: str, where: str, dataset: str, parameter: str, value: Any
) -> None:
    assert configuration.resolved(parameter, "paper", dataset) == value
