"""Reliability diagrams: how often a run is right, by how sure it is."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.evaluation.calibration import calibration_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability_plot(table: pd.DataFrame, task: str = "expression") -> Any:
    """Return a plotly figure: accuracy by confidence as bars, the diagonal, and below the number of samples.

    Args:
        table: of one run (:func:`openfer.evaluation.calibration.reliability`).
        task: what was classified, for the title.
    """
    from plotly.subplots import make_subplots

    from openfer.evaluation.figures.style import COLOURS, quiet

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.05)
    middle, width = (table["low"] + table["high"]) / 2, table["high"] - table["low"]
    hover = "confidence %{customdata[0]:.1%}, accuracy %{y:.1%}, n = %{customdata[1]}<extra></extra>"
    figure.add_bar(
        x=middle,
        y=table["accuracy"],
        width=width,
        customdata=np.column_stack([table["confidence"], table["n"]]),
        hovertemplate=hover,
        marker={"color": COLOURS[0], "line": {"color": "white", "width": 1}},
        name="accuracy",
        row=1,
        col=1,
    )
    diagonal = {"color": "black", "dash": "dash"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, name="sure as often as right", row=1, col=1)
    figure.add_scatter(
        x=table["confidence"],
        y=table["accuracy"],
        mode="markers",
        marker={"color": COLOURS[5], "symbol": "diamond", "size": 7},
        name="mean confidence of the bin",
        hoverinfo="skip",
        row=1,
        col=1,
    )
    grey = {"color": "#999999"}
    figure.add_bar(x=middle, y=table["n"], width=width, marker=grey, name="samples", showlegend=False, row=2, col=1)
    quiet(figure, _title(table, task))
    figure.update_layout(legend={"orientation": "h", "y": 1.01, "yanchor": "bottom"}, margin_t=100)
    figure.update_yaxes(title="accuracy", range=[0, 1.02], tickformat=".0%", row=1, col=1)
    figure.update_yaxes(title="n", row=2, col=1)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    return figure.update_xaxes(title="confidence", row=2, col=1)


def reliability_picture(table: pd.DataFrame, task: str = "expression") -> "Figure":
    """Return the same as a matplotlib figure.

    Args:
        table: of one run.
        task: what was classified, for the title.
    """
    from matplotlib.figure import Figure

    from openfer.evaluation.figures.style import COLOURS

    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    low, width = table["low"], table["high"] - table["low"]
    bars = {"width": width, "align": "edge", "edgecolor": "white"}
    above.bar(low, table["accuracy"].fillna(0), color=COLOURS[0], label="accuracy", **bars)
    above.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1, label="sure as often as right")
    above.plot(table["confidence"], table["accuracy"], "D", color=COLOURS[5], markersize=5, label="mean confidence")
    above.set_ylim(0, 1.02)
    above.set_ylabel("accuracy")
    above.set_title(_title(table, task), fontsize=10, loc="left")
    above.legend(fontsize=8, loc="upper left")
    below.bar(low, table["n"], color="#999999", **bars)
    below.set_xlim(0, 1)
    below.set_ylabel("n")
    below.set_xlabel("confidence: probability of the answer")
    return figure


def _title(table: pd.DataFrame, task: str) -> str:
    return f"Reliability of {task}, n = {table['n'].sum():,}, calibration error {calibration_error(table):.3f}"
