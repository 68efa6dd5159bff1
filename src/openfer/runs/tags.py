"""The tags of nodes, by which the runner and the hooks decide."""

REQUESTED = "run.requested"
"""The last node of a run whose results were asked for."""

PREREQUISITE = "run.prerequisite"
"""The last node of a run that another run needs."""

PUBLISHES = "publishes"
"""Logs a model to MLflow; a study leaves these nodes out."""

TRAINS = "trains"
"""Trains a run; its last output says how the run was initialised, from which data and under which licences."""

CHECKS = "checks"
"""Checks labels or groups of data; these nodes run before any run trains."""

INGESTED, VERDICT, ELSEWHERE, STUDY, PICTURE, REPORT, SUMMARY, EXPORTED = (
    "shows.ingested",
    "shows.verdict",
    "shows.elsewhere",
    "shows.study",
    "shows.picture",
    "shows.report",
    "shows.summary",
    "shows.exported",
)
"""Nodes whose results are printed at the end of a command."""

_RUN = "run-"


def run_tag(slug: str) -> str:
    """Return the tag of all nodes of a run."""
    return f"{_RUN}{slug}"


def slug_of(tags: set[str]) -> str | None:
    """Return the run that a node belongs to; None for one of data, comparisons and the like."""
    return next((tag.removeprefix(_RUN) for tag in tags if tag.startswith(_RUN)), None)
