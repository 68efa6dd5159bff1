"""Accuracy against the number of branches of an ensemble (early exit)."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def branches_picture(table: pd.DataFrame) -> "Figure":
    """Return a line per set of faces for the vote of the first branches, and dots for each branch alone.

    The band is the standard error of drawing that many faces.

    Args:
        table: one row per ``role`` and ``branches`` with the accuracies of their ``vote`` and of the last of them
            ``alone``, and ``n`` faces.
    """
    from matplotlib.figure import Figure

    from openfer.evaluation.figures.style import COLOURS

    figure = Figure(figsize=(6.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for number, (role, rows) in enumerate(table.groupby("role", sort=False)):
        colour, error = COLOURS[number], (rows["vote"] * (1 - rows["vote"]) / rows["n"]) ** 0.5
        label = f"vote of the first, {role} (n = {rows['n'].iloc[0]})"
        axes.plot(rows["branches"], rows["vote"], "o-", color=colour, label=label)
        axes.fill_between(rows["branches"], rows["vote"] - error, rows["vote"] + error, color=colour, alpha=0.15)
        axes.plot(rows["branches"], rows["alone"], "x", color=colour, label=f"the branch alone, {role}")
    axes.set_xticks(sorted(table["branches"].unique()))
    axes.set_xlabel("branches")
    axes.set_ylabel("accuracy")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.legend(fontsize=8, frameon=False)
    axes.set_title("Accuracy against the number of branches (band: standard error)", fontsize=11, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
