"""The node that writes the report."""

from typing import Any

from openfer.io.runs import Run
from openfer.io.studies import StudyFolder


def report(runs: list[Run], studies: list[StudyFolder]) -> dict[str, Any]:
    """Write the page, the tables and the ledger of all runs and studies, with the papers' figures beside them."""
    from dataclasses import asdict

    from openfer.evaluation.published import published_table
    from openfer.report import report as write

    return asdict(write(runs, studies, published_table()))
