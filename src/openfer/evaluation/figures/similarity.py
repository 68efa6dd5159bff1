"""How alike the learners of a network are while it trains: matrices of pairwise similarity."""

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIR = re.compile(r"watch/pair_(?P<kind>\w+)_(?P<one>\d+)_(?P<other>\d+)$")
"""The name by which a history holds one cell of a matrix: of what, and which two learners, from 1."""

_MOMENTS = 6
_READABLE = 6
"""With more learners than this the cells carry colour and no number."""


def similarity_picture(history: pd.DataFrame) -> "Figure":
    """Return heat maps of pairwise similarity over training: a row per kind, a column per moment.

    The moments are up to six epochs with two learners or more, from the first to the last, evenly spaced.

    Args:
        history: long table with ``stage, epoch, split, name, value``; cells are named as :data:`PAIR` says. Of a
            history without any, such as that of one branch or of branches without attention, the figure says so.
    """
    from matplotlib.figure import Figure

    cells = _cells(history)
    if cells.empty:
        figure = Figure(figsize=(4.4, 0.9), layout="constrained")
        figure.text(0.02, 0.5, "No two learners were compared in this training.", va="center")
        return figure
    moments = list(cells.groupby(["stage", "epoch"], sort=False).groups)
    chosen = [moments[i] for i in sorted(set(np.linspace(0, len(moments) - 1, _MOMENTS).round().astype(int)))]
    kinds = list(cells["kind"].unique())
    figure = Figure(figsize=(max(1.2 + 2.1 * len(chosen), 4.4), 0.9 + 2.3 * len(kinds)), layout="constrained")
    figure.suptitle(
        "Similarity of every two learners,\nmean over the training images of an epoch", fontsize=11, x=0.01, ha="left"
    )
    grid = figure.subplots(len(kinds), len(chosen), squeeze=False)
    for row, kind in enumerate(kinds):
        for column, (stage, epoch) in enumerate(chosen):
            here = cells[(cells["kind"] == kind) & (cells["stage"] == stage) & (cells["epoch"] == epoch)]
            axes = grid[row, column]
            matrix = _matrix(here)
            axes.imshow(matrix, cmap="viridis", vmin=0, vmax=1)
            axes.set_title(f"{stage}, epoch {epoch}\nmean {here['value'].mean():.2f}", fontsize=9)
            ticks = range(len(matrix))
            axes.set_xticks(ticks, [str(tick + 1) for tick in ticks], fontsize=7)
            axes.set_yticks(ticks, [str(tick + 1) for tick in ticks], fontsize=7)
            if column == 0:
                axes.set_ylabel(kind)
            if len(matrix) <= _READABLE:
                for (one, other), value in np.ndenumerate(matrix):
                    colour = "black" if value > 0.6 else "white"
                    axes.text(other, one, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(grid[0, 0].images[0], ax=grid, label="S, 1 is alike", shrink=0.8, pad=0.01)
    return figure


def _cells(history: pd.DataFrame) -> pd.DataFrame:
    found = history["name"].str.extract(PAIR)
    cells = pd.concat([history[["stage", "epoch", "value"]], found], axis=1).dropna(subset=["kind"])
    return cells.astype({"one": int, "other": int})


def _matrix(cells: pd.DataFrame) -> np.ndarray:
    matrix = np.eye(int(cells["other"].max()))
    for one, other, value in zip(cells["one"], cells["other"], cells["value"], strict=True):
        matrix[one - 1, other - 1] = matrix[other - 1, one - 1] = value
    return matrix
