"""The cost of one prediction: parameters, multiply-accumulates and time."""

from typing import TYPE_CHECKING

import pandas as pd

from openfer.evaluation.figures.style import COLOURS, headed, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (("params", 1e6, "trained parameters, millions"), ("macs", 1e9, "multiply-accumulates, G"))


def cost_picture(latency: pd.DataFrame) -> "Figure":
    """Return three bar charts beside each other, methods in the order of their time.

    Args:
        latency: one row per ``model`` with the ``side`` of its image, ``params``, ``macs``, ``milliseconds``, their
            quartiles ``low`` and ``high``, ``rounds``, ``threads`` and ``device``.
    """
    from matplotlib.figure import Figure

    names = [f"{model}, {side} px" for model, side in zip(latency["model"], latency["side"], strict=True)]
    rows = latency.assign(model=names).sort_values("milliseconds", ascending=False)  # the first lies lowest
    figure = Figure(figsize=(11, 1.3 + 0.28 * len(rows)), layout="constrained")
    *counts, times = figure.subplots(1, 3, sharey=True)
    for axes, colour, (column, unit, title) in zip(counts, COLOURS[1:], _PANELS, strict=False):
        axes.barh(rows["model"], rows[column] / unit, color=colour, height=0.7)
        axes.set_xlabel(title)
    spread = [rows["milliseconds"] - rows["low"], rows["high"] - rows["milliseconds"]]
    times.barh(rows["model"], rows["milliseconds"], xerr=spread, color=COLOURS[0], height=0.7, capsize=2)
    times.set_xlabel("milliseconds, batch 1")
    for axes in (*counts, times):
        quiet(axes)
    first = latency.iloc[0]
    headed(
        figure,
        f"Cost of one prediction (device: {first['device']}, threads: {first['threads']}; median of {first['rounds']} "
        "rounds, bars: quartiles)",
    )
    return figure
