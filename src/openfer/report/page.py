"""The whole report: a page that opens without a network, and the same tables for other documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import pandas as pd
from markupsafe import Markup

from openfer.evaluation.entries import Entry, entries_of
from openfer.evaluation.leaderboard import TASK, honest, leaderboard, oracles, tested_on
from openfer.evaluation.ledger import ledger
from openfer.evaluation.limits import NOT_AN_EMOTION, STATEMENTS
from openfer.evaluation.text_tables import latex_table, markdown_table
from openfer.io.runs import Run
from openfer.io.studies import StudyFolder
from openfer.io.web_page import web_page
from openfer.report.affect import affect_section
from openfer.report.answers import confusion_section, reliability_section
from openfer.report.comparison import comparison_section, families
from openfer.report.cross_dataset import cross_dataset_section
from openfer.report.faces import features_section, hardest_section
from openfer.report.groups import groups_section
from openfer.report.intro import cautions, leads, limits, size, terms
from openfer.report.leaderboard import (
    leaderboard_section,
    printed_columns,
    published_section,
    saying,
    with_interval,
)
from openfer.report.parts import templates, words
from openfer.report.stability import stability_section
from openfer.report.studies import studies_section
from openfer.report.training import curves_section, ledger_section, sheets_section

_ROOM = "openfer.report"
_TITLE = "openfer: facial expression recognition, compared"
_WITHOUT_RUNS = frozenset({"studies", "limits"})
"""The sections of a project that has run studies alone."""

_LEFT = frozenset({"method", "selection", "run"})


@dataclass(frozen=True)
class Report:
    """What a report is.

    Attributes:
        page: HTML, self-contained.
        markdown: the leaderboards.
        latex: the leaderboards.
        ledger: from :func:`openfer.evaluation.ledger.ledger`.
    """

    page: str
    markdown: str
    latex: str
    ledger: pd.DataFrame


def report(runs: Sequence[Run], studies: Sequence[StudyFolder], published: pd.DataFrame) -> Report:
    """Write the report of a project's runs and studies.

    Args:
        runs: from :func:`openfer.io.runs.find_runs`.
        studies: from :func:`openfer.io.studies.find_studies`.
        published: from :func:`openfer.evaluation.published.published_table`.
    """
    entries = entries_of(runs)
    scores = leaderboard(entries, published)
    table = ledger(entries, scores, published)
    return Report(_page(entries, studies, scores, published, table), _markdown(scores), _latex(scores), table)


def _page(
    entries: list[Entry],
    studies: Sequence[StudyFolder],
    scores: pd.DataFrame,
    published: pd.DataFrame,
    table: pd.DataFrame,
) -> str:
    made = families(entries)
    features, faces = features_section(entries)
    found = [
        leaderboard_section(scores),
        comparison_section(made),
        published_section(entries, scores, published),
        studies_section(studies),
        affect_section(entries),
        confusion_section(entries),
        groups_section(entries),
        cross_dataset_section(entries),
        stability_section(entries),
        reliability_section(entries),
        features,
        hardest_section(entries),
        sheets_section(entries),
        curves_section(entries),
        ledger_section(table),
        limits(entries),
    ]
    body = (
        templates()
        .get_template("page.html")
        .render(
            leads=leads(scores, made),
            cautions=cautions(entries),
            terms=terms(entries),
            size=size(entries, len(studies)),
            not_an_emotion=NOT_AN_EMOTION,
            sections=[part for part in found if part is not None and (entries or part.anchor in _WITHOUT_RUNS)],
            faces=faces,
            script=Markup(_asset("report.js")),
        )
    )
    return web_page(_TITLE, body, _asset("report.css"))


def _asset(name: str) -> str:
    return resources.files(_ROOM).joinpath(name).read_text()


def _printed(scores: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the tables for paper with their captions: main selections by test set, then the others, oracles last."""
    columns = printed_columns()
    ranked = honest(scores)
    ranked = with_interval(ranked[ranked["task"] == TASK])
    main = ranked["main"].astype(bool)
    tables = [(f"Tested on {on}", ranked[main & (ranked["tested"] == on)]) for on in tested_on(ranked)]
    tables += [
        (f"Other selections of the epoch, tested on {on}", ranked[~main & (ranked["tested"] == on)])
        for on in tested_on(ranked[~main])
    ]
    looked = with_interval(oracles(scores))
    if len(looked):
        tables.append(("Oracles, not comparable: the epoch was chosen on the test faces", looked))
    return [(caption, words(table, saying(columns, table))) for caption, table in tables]


def _markdown(scores: pd.DataFrame) -> str:
    parts = [f"## {caption}\n\n{markdown_table(cells)}" for caption, cells in _printed(scores)]
    return "\n\n".join([*parts, "## Limits", *STATEMENTS]) + "\n"


def _latex(scores: pd.DataFrame) -> str:
    tables = [latex_table(cells, caption, frozenset(cells.columns) - _LEFT) for caption, cells in _printed(scores)]
    return "\n\n".join(tables) + "\n"
