"""A score by group, with intervals: for whom a number holds."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.evaluation.groups import ALL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW = 0.26
"""Inches of a bar."""

_UNRANKED = "#BBBBBB"


def group_bars_plot(scores: pd.DataFrame, gaps: pd.DataFrame, metric: str = "accuracy") -> Any:
    """Return a plotly figure: a bar per group with its interval, and the whole as a line.

    Args:
        scores: of one run (:func:`openfer.evaluation.fairness.fairness`).
        gaps: of the same run.
        metric: which one, with an interval (:data:`openfer.evaluation.metrics.RESAMPLED`).

    Returns:
        A figure with one trace per kind of groups. Small groups are grey and have no interval.
    """
    import plotly.graph_objects as go

    from openfer.evaluation.figures.style import COLOURS, quiet

    whole, groups = _parts(scores, metric)
    apart = gaps[gaps["metric"] == metric].set_index("by")
    figure = go.Figure()
    for place, (by, kind) in enumerate(groups.groupby("by", sort=False)):
        colour = np.where(kind["ranked"], COLOURS[place % len(COLOURS)], _UNRANKED)
        beyond = (kind["high"] - kind["value"]).fillna(0)
        below = (kind["value"] - kind["low"]).fillna(0)
        figure.add_bar(
            orientation="h",
            name=_kind_name(str(by), apart),
            y=[np.repeat(str(by), len(kind)), _labels(kind)],
            x=kind["value"],
            error_x={"type": "data", "symmetric": False, "array": beyond, "arrayminus": below},
            marker={"color": colour},
            customdata=np.column_stack([kind["n"], kind["people"], kind["low"], kind["high"]]),
            hovertemplate="%{y}: %{x:.1%} (%{customdata[2]:.1%} to %{customdata[3]:.1%})<br>n = %{customdata[0]}, "
            "drawn as %{customdata[1]} units<extra></extra>",
        )
    figure.add_vline(x=whole["value"], line={"dash": "dash", "color": "black"})
    quiet(figure, _title(whole, metric))
    height = 190 + 24 * len(groups) + 22 * groups["by"].nunique()
    figure.update_layout(height=height, margin_l=190, showlegend=True, legend={"orientation": "h", "y": -0.08})
    figure.update_xaxes(title=metric.replace("_", " "), tickformat=".0%", range=[0, 1.02])
    return figure.update_yaxes(autorange="reversed")


def group_bars_picture(scores: pd.DataFrame, gaps: pd.DataFrame, metric: str = "accuracy") -> "Figure":
    """Return the same as a matplotlib figure; the gap of each kind stands beside its name.

    Args:
        scores: of one run.
        gaps: of the same run.
        metric: which score.
    """
    from matplotlib.figure import Figure

    from openfer.evaluation.figures.style import COLOURS

    whole, groups = _parts(scores, metric)
    apart = gaps[gaps["metric"] == metric].set_index("by")
    kinds = list(groups.groupby("by", sort=False))
    rows = len(groups) + 1.3 * len(kinds)
    figure = Figure(figsize=(7.5, 1.3 + _ROW * max(rows, 1)), layout="constrained")
    axes = figure.add_subplot()
    place, ticks, words = 0.0, [], []
    for number, (by, kind) in enumerate(kinds):
        axes.text(0.01, place, _kind_name(str(by), apart), fontsize=8.5, weight="bold", va="center")
        numbers = kind[["value", "low", "high"]].to_numpy(dtype=np.float64).tolist()
        for (value, low, high), ranked, label in zip(numbers, kind["ranked"], _labels(kind), strict=True):
            place += 1
            axes.barh(place, value, 0.72, color=COLOURS[number % len(COLOURS)] if ranked else _UNRANKED)
            axes.plot([low, high], [place, place], color="black", linewidth=1.4)  # of a small group NaN: no line
            ticks.append(place)
            words.append(label)
        place += 1.3
    axes.axvline(whole["value"], color="black", linestyle="--", linewidth=1)
    axes.set_yticks(ticks, words, fontsize=8)
    axes.set_ylim(max(place, 1) - 0.4, -0.8)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel(metric.replace("_", " "))
    figure.suptitle(_title(whole, metric), fontsize=9.5, x=0.01, ha="left")
    return figure


def _parts(scores: pd.DataFrame, metric: str) -> tuple[pd.Series, pd.DataFrame]:
    chosen = scores[scores["metric"] == metric]
    return chosen[chosen["by"] == ALL].iloc[0], chosen[chosen["by"] != ALL]


def _labels(kind: pd.DataFrame) -> list[str]:
    return [f"{row.group}, n = {row.n:,}" + ("" if row.ranked else " (too few to rank)") for row in kind.itertuples()]


def _kind_name(by: str, apart: pd.DataFrame) -> str:
    if by not in apart.index:
        return by
    gap = apart.loc[by]
    return f"{by}: gap {100 * gap['gap']:.1f} points ({100 * gap['low']:.1f} to {100 * gap['high']:.1f})"


def _title(whole: pd.Series, metric: str) -> str:
    return (
        f"{metric.replace('_', ' ').capitalize()} by group: the whole {whole['value']:.1%}, n = {whole['n']:,}; "
        "lines: 95 % intervals"
    )
