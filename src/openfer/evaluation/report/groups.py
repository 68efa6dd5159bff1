"""For whom a number holds: accuracy by group as bars and as a table, and how far groups are apart."""

import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from openfer.evaluation.bootstrap import wide
from openfer.evaluation.entries import Entry
from openfer.evaluation.fairness import LEAST, LEAST_PEOPLE
from openfer.evaluation.figures.style import COLOURS, PATTERNS, quiet
from openfer.evaluation.groups import ALL
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.report.parts import (
    Figures,
    Format,
    Section,
    everywhere,
    key,
    paragraph,
    percent,
    places,
    side_by_side,
    sortable,
    unfold,
    whole,
    with_bounds,
    word,
)
from openfer.io.runs import Run

_NARROW = 4
"""Largest number of methods with three charts side by side; with more, each chart is wider."""

_LEAST_WIDTH = 520
"""Of a wider chart, in pixels."""

_LETTERS = 9
"""Of a line below a group of bars."""

_DRAWN = len(COLOURS)
"""As many methods as there are colours; the tables have all."""

_UNBROKEN = "\u00a0"

_BARS = "accuracy"

_NAMES: dict[str, tuple[str, Format]] = {"method": ("method", word), "by": ("by", word), "group": ("group", word)}
_ABOUT: dict[str, tuple[str, Format]] = {
    "n": ("n", whole),
    "people": ("drawn", whole),
    "tested": ("tested on", word),
    "run": ("run", word),
}

_GAPS: dict[str, tuple[str, Format]] = {
    "method": ("method", word),
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


def groups_section(entries: Sequence[Entry], figures: Figures) -> Section:
    """Return accuracy by group, as bars and as a table, and the gaps between best and worst group.

    Args:
        entries: all methods.
        figures: takes the bars.
    """
    scores = _together(_scores(entry, run) for entry in entries for run in entry.runs)
    if scores.empty:
        return Section("groups", "Groups", paragraph("No run has groups."))
    said = paragraph(
        "Lines are 95 % intervals of a bootstrap that draws people, or faces where nobody knows whose they are; of "
        f"several seeds bars and lines are means. Groups of fewer than {LEAST} faces or {LEAST_PEOPLE} people are "
        "pale: they are shown with n, have no interval and are not ranked. A kind of groups may leave "
        "faces out, and a face may be in several of one kind. 'drawn' is the number of people, or faces, resampled."
    )
    columns = _NAMES | with_bounds([name for name in everywhere() if name in scores]) | _ABOUT
    table = sortable(scores, columns, "accuracy by group", last=~scores["ranked"].astype(bool))
    known = places(entries)
    charts = "".join(_charts(str(tested), own, figures, known) for tested, own in scores.groupby("tested", sort=False))
    body = said + charts + unfold("All groups as a table", table)
    return Section("groups", "Groups", body + _gaps(entries))


def _charts(tested: str, scores: pd.DataFrame, figures: Figures, known: Mapping[str, int]) -> str:
    """Return bars for each kind of groups of one test set, below the names of the methods that are drawn."""
    methods = [str(name) for name in scores["method"].unique()]
    shown = {name: known[name] for name in methods if known[name] < _DRAWN}
    many = len(methods) > _NARROW
    drawn = []
    for by, own in scores[scores["by"] != ALL].groupby("by", sort=False):
        bars = figures.add(
            _bars(own, shown), f"accuracy by {by} on {tested}", 320, least_width=_LEAST_WIDTH if many else 0
        )
        drawn.append(f"<figure>{bars}<figcaption>By {escape(str(by))}.</figcaption></figure>")
    if not drawn:
        return ""
    heading = f"Groups of {tested}" + (
        f", the first {_DRAWN} of {len(methods)} methods" if len(methods) > _DRAWN else ""
    )
    return f"<h3>{escape(heading)}</h3>" + key(shown) + side_by_side(drawn, wide=many)


def group_tables(entries: Sequence[Entry]) -> list[pd.DataFrame]:
    """Return the scores by group of all runs that have them."""
    found = (run.groups for entry in entries for run in entry.runs)
    return [table for table in found if table is not None]


def _gaps(entries: Sequence[Entry]) -> str:
    gaps = _together(_named(entry, run, run.gaps) for entry in entries for run in entry.runs)
    if gaps.empty:
        return paragraph(f"No two groups of one kind have {LEAST} faces of {LEAST_PEOPLE} people: no gap is measured.")
    gaps = gaps[gaps["metric"] == _BARS]
    largest_first = gaps.sort_values("gap", ascending=False, kind="stable", ignore_index=True)
    said = paragraph(
        "The gap of accuracy, in points, between the best group and the worst one of each kind, with the interval of "
        "that difference. The two were picked for being best and worst, which makes a gap too large on average, the "
        "more groups there are and the smaller they are; the interval does not know of the picking."
    )
    table = sortable(largest_first, _GAPS, "gaps between groups", sorted_by=("gap", "descending"))
    return "<h3>Gaps</h3>" + said + _gaps_side_by_side(gaps) + unfold("All gaps with intervals and groups", table)


def _gaps_side_by_side(gaps: pd.DataFrame) -> str:
    """Return a table for each test set with a row for each kind of groups and a column for each method."""
    parts = []
    for tested, own in gaps.groupby("tested", sort=False):
        means = own.groupby(["by", "method"], sort=False)[["gap", "low", "high"]].mean()  # over seeds
        cells = [f"{percent(gap)} ({percent(low)} to {percent(high)})" for gap, low, high in means.to_numpy()]
        gaps_of = means.assign(cell=cells)["cell"].unstack(sort=False).reset_index()
        columns: dict[str, tuple[str, Format]] = {str(name): (str(name), word) for name in gaps_of}
        label = f"largest gaps on {tested}"
        parts.append(f"<h4>Gaps on {escape(str(tested))}</h4>" + sortable(gaps_of, columns, label))
    return "".join(parts)


def _scores(entry: Entry, run: Run) -> pd.DataFrame:
    """Return one row per group of a run, with its accuracy and interval, and the scores beside it."""
    table = _named(entry, run, run.groups)
    return table if table.empty else wide(table, ["by", "group", "seed"])


def _named(entry: Entry, run: Run, table: pd.DataFrame | None) -> pd.DataFrame:
    """Return what a table says of the main selection, with the names of entry, test set and run."""
    if table is None or table.empty:
        return pd.DataFrame()
    chosen = table[(table["selection"] == entry.selection) & (table["task"] == TASK)]
    return chosen.assign(method=entry.name, tested=entry.tested, run=run.name)


def _together(tables: Any) -> pd.DataFrame:
    known = [table for table in tables if len(table)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame()


def _bars(table: pd.DataFrame, methods: Mapping[str, int]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for method, place in methods.items():
        seeds = table[table["method"] == method]
        own = (
            seeds.groupby("group", sort=False)[["accuracy", "low", "high", "n", "people", "ranked"]]
            .mean()
            .reset_index()
        )
        figure.add_bar(
            name=method,
            x=[_named_group(row) for row in own.to_dict("records")],
            y=own["accuracy"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": own["high"] - own["accuracy"],
                "arrayminus": own["accuracy"] - own["low"],
                "thickness": 1,
                "color": "#707070",  # seen on black bars too
            },
            marker={
                "color": COLOURS[place],
                "pattern": {"shape": PATTERNS[place]},
                "opacity": [1.0 if ranked else 0.35 for ranked in own["ranked"]],
                "line": {"color": "#404040", "width": 0.5},
            },
            hovertemplate="%{x}<br>accuracy %{y:.1%}<extra>" + escape(method, quote=False) + "</extra>",
        )
    quiet(figure, "")
    figure.update_layout(barmode="group", showlegend=False)
    figure.update_layout(margin={"l": 45, "r": 10, "b": 40})
    figure.update_xaxes(automargin=True, tickangle=0)
    return figure.update_yaxes(range=[0, 1.03], tickformat=".0%")


def _named_group(row: Mapping[Any, Any]) -> str:
    people = f"<br>{row['people']:.0f} people" if row["people"] < row["n"] else ""
    return f"{_narrow(str(row['group']))}<br>n = {row['n']:.0f}{people}"


def _narrow(group: str) -> str:
    return "<br>".join(textwrap.wrap(group.replace(" %", _UNBROKEN + "%"), _LETTERS, break_long_words=False))
