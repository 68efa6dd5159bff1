"""Importance weights of the disturbing factors (ADDL, Fig. 6)."""

from typing import TYPE_CHECKING

import pandas as pd

from openfer.evaluation.figures.style import COLOURS, headed, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def importance_picture(importance: pd.DataFrame) -> "Figure":
    """Return a bar chart of the mean weight of each factor.

    Args:
        importance: one row per factor with ``factor, mean, std, n, learned``: learned weights are sigmoids in [0, 1]
            that need not sum to one; ``std`` is their spread over the n images. Others are constant and equal, which
            the title says, as it does where no factor is fused and there is no row.
    """
    from matplotlib.figure import Figure

    # small differences stay visible, and zero stays on the axis
    top = float(1.08 * (importance["mean"] + importance["std"].fillna(0)).max()) if len(importance) else 1.0
    figure = Figure(figsize=(max(6.0, 1.6 + len(importance)), 3.8), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(importance))
    axes.bar(places, importance["mean"], yerr=importance["std"], color=COLOURS[0], capsize=4, width=0.65)
    for place, mean in zip(places, importance["mean"], strict=True):
        axes.text(place, 0.02 * top, f"{mean:.3f}", ha="center", va="bottom", color="white", fontsize=10)
    axes.set_xticks(places, list(importance["factor"]))
    axes.set(ylim=(0, top or 1.0), ylabel="importance weight")
    quiet(axes)
    headed(figure, _title(importance))
    return figure


def _title(importance: pd.DataFrame) -> str:
    if importance.empty:
        return "No factor is fused: there are no importance weights"
    if not importance["learned"].any():
        return f"Equal weights, set and not learned: {importance['mean'].iloc[0]:.3f} for each of {len(importance)}"
    counts = sorted(set(importance["n"]))
    n = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    return f"Importance weights, mean over {n} images (bars: standard deviation)"
