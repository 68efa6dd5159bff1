"""What methods cost, whatever they score: parameters, multiply-accumulates and time of one image."""

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (("params", 1e6, "trained parameters, millions"), ("macs", 1e9, "multiply-accumulates, G"))
_TIME = "milliseconds, batch 1"


def cost_plot(latency: pd.DataFrame) -> Any:
    """Return three plotly bar charts beside each other, methods in the order of their time.

    Args:
        latency: one row per ``model`` with the ``side`` of its image, ``params``, ``macs``, ``milliseconds``, their
            quartiles ``low`` and ``high``, ``rounds``, ``threads`` and ``device``.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from openfer.evaluation.figures.style import COLOURS, quiet

    rows = _slowest_first(latency)
    figure = make_subplots(rows=1, cols=3, shared_yaxes=True, horizontal_spacing=0.03)
    for place, (column, unit, title) in enumerate(_PANELS, start=1):
        bars = go.Bar(x=rows[column] / unit, y=rows["model"], orientation="h", marker={"color": COLOURS[place]})
        figure.add_trace(bars, row=1, col=place).update_xaxes(title=title, row=1, col=place)
    spread = {"type": "data", "symmetric": False, "array": _above(rows), "arrayminus": _below(rows)}
    times = go.Bar(
        x=rows["milliseconds"], y=rows["model"], orientation="h", error_x=spread, marker={"color": COLOURS[0]}
    )
    figure.add_trace(times, row=1, col=3).update_xaxes(title=_TIME, row=1, col=3)
    quiet(figure, _title(latency))
    figure.update_layout(showlegend=False, height=160 + 26 * len(rows))
    return figure.update_yaxes(automargin=True)


def cost_picture(latency: pd.DataFrame) -> "Figure":
    """Return the same as a matplotlib figure."""
    from matplotlib.figure import Figure

    from openfer.evaluation.figures.style import COLOURS

    rows = _slowest_first(latency)
    figure = Figure(figsize=(11, 1.3 + 0.28 * len(rows)), layout="constrained")
    figure.suptitle(_title(latency), fontsize=11, x=0.01, ha="left")
    *counts, times = figure.subplots(1, 3, sharey=True)
    for axes, colour, (column, unit, title) in zip(counts, COLOURS[1:], _PANELS, strict=False):
        axes.barh(rows["model"], rows[column] / unit, color=colour, height=0.7)
        axes.set_xlabel(title)
    spread = [_below(rows), _above(rows)]
    times.barh(rows["model"], rows["milliseconds"], xerr=spread, color=COLOURS[0], height=0.7, capsize=2)
    times.set_xlabel(_TIME)
    for axes in (*counts, times):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    return figure


def _slowest_first(latency: pd.DataFrame) -> pd.DataFrame:
    """Name the bars, and order them: the first lies lowest."""
    names = [f"{model}, {side} px" for model, side in zip(latency["model"], latency["side"], strict=True)]
    return latency.assign(model=names).sort_values("milliseconds", ascending=False)


def _above(rows: pd.DataFrame) -> pd.Series:
    return rows["high"] - rows["milliseconds"]


def _below(rows: pd.DataFrame) -> pd.Series:
    return rows["milliseconds"] - rows["low"]


def _title(latency: pd.DataFrame) -> str:
    first = latency.iloc[0]
    return (
        f"Cost of one prediction (device: {first['device']}, threads: {first['threads']}; median of {first['rounds']} "
        "rounds, bars: quartiles)"
    )
