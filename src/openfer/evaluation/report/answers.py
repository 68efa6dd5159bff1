"""Which classes are taken for which, how accuracy differs between groups, and what a confidence is worth."""

import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation.entries import Entry
from openfer.evaluation.figures import confusion_plot
from openfer.evaluation.figures.style import COLOURS, PATTERNS, quiet
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.limits import FEW
from openfer.evaluation.predictions import classes_in
from openfer.evaluation.report.parts import Figures, Format, Section, paragraph, percent, sortable, unfold, whole, word

_BINS = 10
_LETTERS = 12
"""Of a line below a group of bars."""

_DRAWN = len(COLOURS)
"""As many methods as there are colours; the tables have all."""


def confusion_section(entries: Sequence[Entry], figures: Figures) -> Section:
    """Return a confusion matrix per method, of all its runs together."""
    drawn = []
    for entry in entries:
        run = entry.main(TASK)
        if run.empty:
            continue
        classes = classes_in(run)
        true, answer = (pd.Categorical(run[column], classes) for column in ("y_true", "y_pred"))
        total = pd.crosstab(true, answer, dropna=False)
        n, right = int(total.to_numpy().sum()), int(np.trace(total.to_numpy()))
        plot = confusion_plot(total).update_traces(showscale=False)
        plot.update_layout(margin={"l": 10, "r": 10, "b": 10})
        plot.update_xaxes(automargin=True, showgrid=False)
        plot.update_yaxes(automargin=True, showgrid=False, constrain="domain", constraintoward="top")
        label = f"confusion of {entry.name} on {entry.tested}, {right:,} of {n:,} right"
        drawn.append(
            f"<figure>{figures.add(plot, label, 350)}<figcaption>{escape(entry.name)} on "
            f"{escape(entry.tested)}, {entry.selection}: {right:,} of {n:,} right. "
            f"Run {escape(entry.folders)}.</figcaption></figure>"
        )
    said = paragraph(
        "Rows are true classes, columns answers; colour is the share of the true class, numbers are faces."
    )
    return Section("confusion", "Confusion", said + _grid(drawn))


def groups_section(entries: Sequence[Entry], groups: Mapping[str, pd.DataFrame], figures: Figures) -> Section:
    """Return accuracy by group, as bars and as a table.

    Args:
        entries: all methods.
        groups: run -> its accuracy by group (:func:`openfer.evaluation.groups.accuracy_by_group`).
        figures: takes the bars.
    """
    known = [_groups_of(entry, groups) for entry in entries]
    table = pd.concat(known, ignore_index=True) if known else pd.DataFrame()
    if table.empty:
        return Section("groups", "Groups", paragraph("No run has groups."))
    drawn = []
    for (tested, by), own in table[table["by"] != "all"].groupby(["tested", "by"], sort=False):
        plot = _bars(own)
        label = f"accuracy by {by} on {tested}"
        legend = f"{len(set(own['method']))} methods" if own["method"].nunique() > _DRAWN else ""
        caption = f"By {by}, {tested}. {'The first ' + str(_DRAWN) + ' of ' + legend + '.' if legend else ''}"
        drawn.append(f"<figure>{figures.add(plot, label, 380)}<figcaption>{escape(caption)}</figcaption></figure>")
    columns: dict[str, tuple[str, Format]] = {
        "method": ("method", word),
        "by": ("by", word),
        "group": ("group", word),
        "accuracy": ("accuracy %", percent),
        "low": ("from", percent),
        "high": ("to", percent),
        "n": ("n", whole),
        "tested": ("tested on", word),
        "run": ("run", word),
    }
    said = paragraph(
        f"Lines are 95 % intervals of drawing the faces. Groups with fewer than {FEW} faces are pale: they are shown "
        "with n and not ranked."
    )
    rows = sortable(table, columns, "accuracy by group", last=table["n"] < FEW)
    return Section("groups", "Groups", said + _grid(drawn) + unfold("All groups as a table", rows))


def reliability_section(entries: Sequence[Entry], figures: Figures) -> Section:
    """Return how often a method is right when it is so confident."""
    import plotly.graph_objects as go

    drawn = []
    shown = [entry for entry in entries if len(entry.main(TASK))]
    for tested in dict.fromkeys(entry.tested for entry in shown):
        figure = go.Figure()
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": "#888", "dash": "dot"}, name="as confident as right"
        )
        for place, entry in enumerate([entry for entry in shown if entry.tested == tested][:_DRAWN]):
            bins = confidence_bins(entry.main(TASK))
            figure.add_scatter(
                x=bins["confidence"],
                y=bins["accuracy"],
                customdata=bins["n"],
                name=entry.name,
                mode="lines+markers",
                marker={"symbol": place, "size": 8, "color": COLOURS[place]},
                hovertemplate="confidence %{x:.0%}, right %{y:.0%}<br>n = %{customdata}<extra>%{fullData.name}</extra>",
            )
        quiet(figure, "")
        figure.update_xaxes(title="confidence", range=[0, 1.02], tickformat=".0%")
        figure.update_yaxes(title="share that is right", range=[0, 1.02], tickformat=".0%")
        figure.update_layout(legend=_BELOW, margin={"l": 60, "r": 10, "b": 60})
        label = f"reliability on {tested}"
        drawn.append(f"<figure>{figures.add(figure, label, 440)}<figcaption>On {escape(tested)}.</figcaption></figure>")
    said = paragraph(
        "The confidence is the probability of the answer. Below the dotted line a method is surer than it is right. "
        "Points of few faces scatter; the pointer shows n."
    )
    return Section("reliability", "Reliability", said + _grid(drawn))


_BELOW = {"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0}


def confidence_bins(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return ten bins of confidence: its mean, the share of right answers, and n; empty bins are left out."""
    probabilities = predictions[[f"p_{name}" for name in classes_in(predictions)]].to_numpy()
    confidence = probabilities.max(axis=1)
    table = pd.DataFrame(
        {
            "bin": np.minimum((confidence * _BINS).astype(int), _BINS - 1),
            "confidence": confidence,
            "right": (predictions["y_true"] == predictions["y_pred"]).to_numpy(),
        }
    )
    return (
        table.groupby("bin")
        .agg(confidence=("confidence", "mean"), accuracy=("right", "mean"), n=("right", "size"))
        .reset_index()
    )


def _groups_of(entry: Entry, groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the groups of all runs of an entry, with its main selection."""
    tables = []
    for run in entry.runs:
        own = groups.get(run.name)
        if own is not None:
            chosen = own[(own["selection"] == entry.selection) & (own["task"] == TASK)]
            tables.append(chosen.assign(method=entry.name, tested=entry.tested, run=run.name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _bars(table: pd.DataFrame) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for place, (method, seeds) in enumerate(list(table.groupby("method", sort=False))[:_DRAWN]):
        own = seeds.groupby("group", sort=False)[["accuracy", "low", "high", "n"]].mean().reset_index()
        figure.add_bar(
            name=str(method),
            x=[f"{_narrow(group)}<br>n = {n:.0f}" for group, n in zip(own["group"], own["n"], strict=True)],
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
                "opacity": [0.35 if n < FEW else 1.0 for n in own["n"]],
            },
            hovertemplate="%{x}<br>accuracy %{y:.1%}<extra>" + str(method) + "</extra>",
        )
    quiet(figure, "")
    figure.update_layout(barmode="group", legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    figure.update_layout(margin={"l": 45, "r": 10, "b": 40})
    figure.update_xaxes(automargin=True)
    return figure.update_yaxes(range=[0, 1.03], tickformat=".0%")


def _narrow(group: str) -> str:
    return "<br>".join(textwrap.wrap(group, _LETTERS))


def _grid(figures: Sequence[str]) -> str:
    return f'<div class="side-by-side">{"".join(figures)}</div>'
