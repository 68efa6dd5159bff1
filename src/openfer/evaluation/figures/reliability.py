"""Reliability diagrams: accuracy by confidence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from openfer.evaluation.calibration import error_of
from openfer.evaluation.figures.style import headed, look, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability_picture(tables: Mapping[str, pd.DataFrame], task: str = "expression") -> "Figure":
    """Return accuracy by confidence, a line for each method, the diagonal, and below the samples of each bin.

    Args:
        tables: by method, what :func:`openfer.evaluation.calibration.reliability` gave.
        task: what was classified, for the title.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1, label="as confident as correct")
    for number, (name, table) in enumerate(tables.items()):
        bins = table.dropna()
        label = f"{name}, calibration error {error_of(table):.3f}"
        above.plot(bins["confidence"], bins["accuracy"], label=label, markersize=5, **look(number))
        edges = np.append(table["low"], table["high"].iloc[-1])
        below.stairs(table["n"], edges, color=look(number)["color"], fill=len(tables) == 1)
    above.set(ylim=(0, 1.02), ylabel="accuracy")
    above.legend(fontsize=8, frameon=False, loc="upper left")
    below.set(xlim=(0, 1.02), ylabel="n", xlabel="confidence: probability of the predicted class")
    quiet(above, shares="y")
    quiet(below, shares="x")
    n = sorted({int(table["n"].sum()) for table in tables.values()})
    headed(figure, f"Reliability of {task}, n = {' to '.join(f'{each:,}' for each in sorted({n[0], n[-1]}))}")
    return figure
