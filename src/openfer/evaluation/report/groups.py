"""For whom a number holds: accuracy by group as bars and as a table, and how far groups are apart."""

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from openfer.evaluation.entries import Entry
from openfer.evaluation.fairness import LEAST
from openfer.evaluation.figures.style import COLOURS, PATTERNS, quiet
from openfer.evaluation.groups import ALL
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.report.parts import (
    Figures,
    Format,
    Section,
    key,
    paragraph,
    percent,
    side_by_side,
    sortable,
    three,
    unfold,
    whole,
    word,
)
from openfer.io.runs import Run

_NARROW = 4
"""Up to so many methods three charts stand side by side; of more methods each is wider."""

_LEAST_WIDTH = 520
"""Of a wider chart, in pixels."""

_LETTERS = 9
"""Of a line below a group of bars."""

_DRAWN = len(COLOURS)
"""As many methods as there are colours; the tables have all."""

_UNBROKEN = "\u00a0"

_BARS = "accuracy"
_BESIDE = ("balanced_accuracy", "calibration_error")

_SCORES: dict[str, tuple[str, Format]] = {
    "method": ("method", word),
    "by": ("by", word),
    "group": ("group", word),
    "accuracy": ("accuracy %", percent),
    "low": ("from", percent),
    "high": ("to", percent),
    "balanced_accuracy": ("balanced %", percent),
    "calibration_error": ("calibration error", three),
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
        f"several seeds bars and lines are means. Groups with fewer than {LEAST} faces are pale: they are shown with "
        "n, have no interval and are not ranked. Drawn are so many people, or faces."
    )
    table = sortable(scores, _SCORES, "accuracy by group", last=~scores["ranked"].astype(bool))
    charts = "".join(_charts(str(tested), own, figures) for tested, own in scores.groupby("tested", sort=False))
    body = said + charts + unfold("All groups as a table", table)
    return Section("groups", "Groups", body + _gaps(entries))


def _charts(tested: str, scores: pd.DataFrame, figures: Figures) -> str:
    """Return bars for each kind of groups of one test set, below the names of the methods that are drawn."""
    methods = [str(name) for name in scores["method"].unique()]
    shown, many = methods[:_DRAWN], len(methods) > _NARROW
    drawn = []
    for by, own in scores[scores["by"] != ALL].groupby("by", sort=False):
        bars = figures.add(
            _bars(own, shown), f"accuracy by {by} on {tested}", 320, least_width=_LEAST_WIDTH if many else 0
        )
        drawn.append(f"<figure>{bars}<figcaption>By {escape(str(by))}.</figcaption></figure>")
    heading = f"On {tested}" + (f", the first {_DRAWN} of {len(methods)} methods" if len(methods) > _DRAWN else "")
    return f"<h3>{escape(heading)}</h3>" + key(shown) + side_by_side(drawn, wide=many)


def group_tables(entries: Sequence[Entry]) -> list[pd.DataFrame]:
    """Return the scores by group of all runs that have them."""
    found = (run.groups for entry in entries for run in entry.runs)
    return [table for table in found if table is not None]


def _gaps(entries: Sequence[Entry]) -> str:
    gaps = _together(_named(entry, run, run.gaps) for entry in entries for run in entry.runs)
    if gaps.empty:
        return paragraph(f"No two groups of one kind have {LEAST} faces, so no gap is measured.")
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
        wide = own.pivot_table("gap", "by", "method", sort=False).reset_index()  # the mean over seeds
        columns: dict[str, tuple[str, Format]] = {"by": ("by", word)}
        columns |= {name: (name, percent) for name in wide.columns[1:]}
        parts.append(f"<h4>On {escape(str(tested))}</h4>" + sortable(wide, columns, f"largest gaps on {tested}"))
    return "".join(parts)


def _scores(entry: Entry, run: Run) -> pd.DataFrame:
    """Return one row per group of a run, with its accuracy and interval, and the scores beside it."""
    table = _named(entry, run, run.groups)
    if table.empty:
        return table
    one_each = ["by", "group"]
    wide = table[table["metric"] == _BARS].rename(columns={"value": _BARS})
    for metric in _BESIDE:
        other = table[table["metric"] == metric].rename(columns={"value": metric})
        wide = wide.merge(other[[*one_each, metric]], on=one_each, how="left", validate="one_to_one")
    return wide


def _named(entry: Entry, run: Run, table: pd.DataFrame | None) -> pd.DataFrame:
    """Return what a table says of the main selection, with the names of entry, test set and run."""
    if table is None or table.empty:
        return pd.DataFrame()
    chosen = table[(table["selection"] == entry.selection) & (table["task"] == TASK)]
    return chosen.assign(method=entry.name, tested=entry.tested, run=run.name)


def _together(tables: Any) -> pd.DataFrame:
    known = [table for table in tables if len(table)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame()


def _bars(table: pd.DataFrame, methods: Sequence[str]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for place, method in enumerate(methods):  # all, so that each has its colour in every chart
        seeds = table[table["method"] == method]
        own = seeds.groupby("group", sort=False)[["accuracy", "low", "high", "n"]].mean().reset_index()
        figure.add_bar(
            name=method,
            x=[f"{_narrow(str(group))}<br>n = {n:.0f}" for group, n in zip(own["group"], own["n"], strict=True)],
            y=own["accuracy"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": own["high"] - own["accuracy"],
                "arrayminus": own["accuracy"] - own["low"],
                "thickness": 1,
            },
            marker={
                "color": COLOURS[place],
                "pattern": {"shape": PATTERNS[place]},
                "opacity": [0.35 if n < LEAST else 1.0 for n in own["n"]],
            },
            hovertemplate="%{x}<br>accuracy %{y:.1%}<extra>" + escape(method) + "</extra>",
        )
    quiet(figure, "")
    figure.update_layout(barmode="group", showlegend=False)
    figure.update_layout(margin={"l": 45, "r": 10, "b": 40})
    figure.update_xaxes(automargin=True, tickangle=0)
    return figure.update_yaxes(range=[0, 1.03], tickformat=".0%")


def _narrow(group: str) -> str:
    return "<br>".join(textwrap.wrap(group.replace(" %", _UNBROKEN + "%"), _LETTERS, break_long_words=False))
