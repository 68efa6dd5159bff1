"""For whom a number holds: accuracy by group as a chart and as a table, and the gaps between groups."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from openfer.evaluation.bootstrap import wide
from openfer.evaluation.entries import Entry
from openfer.evaluation.fairness import LEAST, LEAST_PEOPLE
from openfer.evaluation.figures import group_bars_picture
from openfer.evaluation.figures.style import COLOURS
from openfer.evaluation.groups import ALL
from openfer.evaluation.leaderboard import TASK
from openfer.io.runs import Run
from openfer.report.parts import (
    Columns,
    Section,
    drawing,
    everywhere,
    heading,
    joined,
    paragraph,
    percent,
    places,
    sortable,
    unfold,
    whole,
    with_bounds,
    word,
)

_DRAWN = len(COLOURS)
"""Largest number of methods in a figure; the tables have all."""

_NAMES: Columns = {"name": ("method", word), "by": ("by", word), "group": ("group", word)}
_ABOUT: Columns = {
    "n": ("n", whole),
    "people": ("resampled", whole),
    "tested": ("tested on", word),
    "run": ("run", word),
}
_GAPS: Columns = {
    "name": ("method", word),
    "by": ("by", word),
    "gap": ("gap, points", percent),
    "low": ("from", percent),
    "high": ("to", percent),
    "best": ("best", word),
    "n_best": ("its n", whole),
    "worst": ("worst", word),
    "n_worst": ("its n", whole),
    "groups": ("groups ranked", whole),
    "tested": ("tested on", word),
    "run": ("run", word),
}


def groups_section(entries: Sequence[Entry]) -> Section:
    """Return accuracy by group, as a chart and as a table, and the gaps between best and worst group."""
    scores = _together(_named(entry, run, run.groups) for entry in entries for run in entry.runs)
    if scores.empty:
        return Section("groups", "Groups", paragraph("No run has groups."))
    said = paragraph(
        "Lines are 95 % intervals of a bootstrap that draws people, or faces where people are not known; with several "
        f"seeds, points and lines are means. Groups of fewer than {LEAST} faces or {LEAST_PEOPLE} people are pale: "
        "they have no interval and are not ranked. 'Resampled' is the number of people, or of faces. A face may be in "
        "several groups of one kind, or in none."
    )
    table = wide(scores, ["name", "run", "by", "group", "seed"])
    columns = {**_NAMES, **with_bounds([name for name in everywhere() if name in table]), **_ABOUT}
    rows = sortable(table, columns, "accuracy by group", last=~table["ranked"].astype(bool))
    charts = [_chart(str(tested), own, places(entries)) for tested, own in scores.groupby("tested", sort=False)]
    return Section("groups", "Groups", joined([said, *charts, unfold("All groups as a table", rows), *_gaps(entries)]))


def group_tables(entries: Sequence[Entry]) -> list[pd.DataFrame]:
    """Return the scores by group of all runs that have them."""
    found = (run.groups for entry in entries for run in entry.runs)
    return [table for table in found if table is not None]


def _chart(tested: str, scores: pd.DataFrame, known: dict[str, int]) -> Markup:
    if (scores["by"] == ALL).all():
        return Markup()
    methods = scores["name"].nunique()
    title = f"Groups of {tested}" + (f", the first {_DRAWN} of {methods} methods" if methods > _DRAWN else "")
    shown = scores[scores["name"].map(known) < _DRAWN]
    return joined([heading(title), drawing(group_bars_picture(shown), f"accuracy by group on {tested}")])


def _gaps(entries: Sequence[Entry]) -> list[Markup]:
    gaps = _together(_named(entry, run, run.gaps) for entry in entries for run in entry.runs)
    if gaps.empty:
        return [
            paragraph(f"No two groups of one kind have {LEAST} faces of {LEAST_PEOPLE} people: no gap is measured.")
        ]
    gaps = gaps[gaps["metric"] == "accuracy"]
    largest_first = gaps.sort_values("gap", ascending=False, kind="stable", ignore_index=True)
    said = paragraph(
        "The gap is the difference of accuracy, in points, between the best group and the worst one of each kind, with "
        "its interval. Choosing the best and the worst makes a gap too large on average, more so with more and smaller "
        "groups; the interval does not account for that choice."
    )
    table = sortable(largest_first, _GAPS, "gaps between groups", sorted_by=("gap", "descending"))
    each = [part for tested, own in gaps.groupby("tested", sort=False) for part in _gaps_on(str(tested), own)]
    return [heading("Gaps"), said, *each, unfold("All gaps with intervals and groups", table)]


def _gaps_on(tested: str, gaps: pd.DataFrame) -> list[Markup]:
    """Return a table with a row for each kind of groups and a column for each method; seeds are averaged."""
    means = gaps.groupby(["by", "name"], sort=False)[["gap", "low", "high"]].mean()
    cells = [f"{percent(gap)} ({percent(low)} to {percent(high)})" for gap, low, high in means.to_numpy()]
    gaps_of = means.assign(cell=cells)["cell"].unstack(sort=False).reset_index()
    columns: Columns = {str(name): (str(name), word) for name in gaps_of}
    return [heading(f"Gaps on {tested}", 4), sortable(gaps_of, columns, f"largest gaps on {tested}")]


def _named(entry: Entry, run: Run, table: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of the main selection, with the names of entry, test set and run."""
    if table is None or table.empty:
        return pd.DataFrame()
    chosen = table[(table["selection"] == entry.selection) & (table["task"] == TASK)]
    return chosen.assign(name=entry.name, tested=entry.tested, run=run.name)


def _together(tables: Any) -> pd.DataFrame:
    known = [table for table in tables if len(table)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame()
