"""Which classes are taken for which, and what a confidence is worth."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from openfer.evaluation.calibration import BINS, reliability
from openfer.evaluation.entries import Entry
from openfer.evaluation.figures import confusion_plot
from openfer.evaluation.figures.style import COLOURS, quiet
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.report.parts import (
    Figures,
    Format,
    Section,
    paragraph,
    percent,
    places,
    side_by_side,
    sortable,
    unfold,
    whole,
    word,
)
from openfer.evaluation.scores import confusion, summarise

_DRAWN = len(COLOURS)
"""As many methods as there are colours; the tables have all."""


def confusion_section(entries: Sequence[Entry], figures: Figures) -> Section:
    """Return a confusion matrix per method, of all its runs together."""
    drawn = []
    for entry in entries:
        run = entry.main(TASK)
        if run.empty:
            continue
        total = confusion(run)
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
    return Section("confusion", "Confusion", said + side_by_side(drawn))


def reliability_section(entries: Sequence[Entry], figures: Figures) -> Section:
    """Return how often a method is right when it is so confident."""
    import plotly.graph_objects as go

    drawn, tables, known = [], [], places(entries)
    shown = [entry for entry in entries if entry.name in known]
    for tested in dict.fromkeys(entry.tested for entry in shown):
        figure = go.Figure()
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": "#888", "dash": "dot"}, name="as confident as right"
        )
        for entry in shown:
            place = known[entry.name]
            if entry.tested != tested or place >= _DRAWN:
                continue
            own = entry.main(TASK)
            error = summarise(own, ["calibration_error"])["calibration_error"].iloc[0]
            bins = reliability(own).dropna()
            tables.append(bins.assign(entry=entry.name, tested=tested, runs=entry.folders))
            figure.add_scatter(
                x=bins["confidence"],
                y=bins["accuracy"],
                customdata=bins["n"],
                name=f"{entry.name}, error {error:.3f}",
                mode="lines+markers",
                marker={"symbol": place, "size": _sizes(bins["n"]), "color": COLOURS[place], "opacity": 0.8},
                hovertemplate="confidence %{x:.0%}, right %{y:.0%}<br>n = %{customdata}<extra>%{fullData.name}</extra>",
            )
        quiet(figure, "")
        figure.update_xaxes(title="confidence", range=[0, 1.02], tickformat=".0%")
        figure.update_yaxes(title="share that is right", range=[0, 1.02], tickformat=".0%")
        figure.update_layout(legend=_BELOW, margin={"l": 60, "r": 10, "b": 60})
        label = f"reliability on {tested}"
        height = _AXES + _LINE * len(figure.data)  # the legend has a line for each
        drawn.append(
            f"<figure>{figures.add(figure, label, height)}<figcaption>On {escape(tested)}.</figcaption></figure>"
        )
    said = paragraph(
        f"The confidence is the probability of the answer, in {BINS} bins of equal width, of an ensemble that votes "
        "the share of votes. Below the dotted line a method is surer than it is right. The error is the expected "
        "calibration error, the mean gap of both by n, as in the leaderboard; of several seeds their mean, the points "
        "being all seeds' answers together. Small points are of few faces and scatter; the table has n."
    )
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(_BINS))
    rows = unfold("All bins as a table", sortable(table, _BINS, "reliability by bin"))
    return Section("reliability", "Reliability", said + side_by_side(drawn, wide=True) + rows)


def _sizes(counts: pd.Series) -> list[float]:
    """Return sizes of points whose areas grow with n, none too small to be seen."""
    return (5 + 13 * np.sqrt(counts / counts.max())).tolist()


_BINS: dict[str, tuple[str, Format]] = {
    "entry": ("method", word),
    "confidence": ("confidence %", percent),
    "accuracy": ("right %", percent),
    "n": ("n", whole),
    "tested": ("tested on", word),
    "runs": ("run", word),
}
_AXES, _LINE = 400, 19
"""Pixels of a reliability diagram's axes, and of a line of its legend."""

_BELOW = {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0}
