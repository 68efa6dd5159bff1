"""Training curves: one panel per recorded name, methods as colours, splits as dashes."""

from math import ceil
from typing import TYPE_CHECKING

import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.figures.similarity import PAIR
from openfer.evaluation.figures.style import Places, look, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 3
_KEY = ["method", "stage", "name", "split", "epoch"]
_DASHES = {"train": "solid", "val": "dashed", "test": "dotted", "oracle_test": "dotted"}


def training_curves(history: pd.DataFrame) -> "Figure":
    """Return all that training recorded, one panel per stage and name, accuracies first; no cells of matrices.

    Args:
        history: long table with the columns ``stage, epoch, split, name, value``, and ``method`` where
            several methods share the panels. Names that contain ``accuracy`` are shares in [0, 1].

    Raises:
        DataError: if the history is empty, or two values have the same place.
    """
    from matplotlib.ticker import MaxNLocator

    table = _checked(history)
    panels = list(table.groupby(["stage", "name"], sort=False))
    panels.sort(key=lambda panel: "accuracy" not in str(panel[0][1]))
    several_stages, methods = table["stage"].nunique() > 1, list(table["method"].unique())
    columns = min(_COLUMNS, len(panels))
    rows = ceil(len(panels) / columns)
    legend_rows = ceil(len(table[["method", "split"]].drop_duplicates()) / (columns + 1))
    places = Places((3.0, 1.4), (0.7, 0.35), below=0.45, rim=(0.0, 0.35, 0.1 + 0.2 * legend_rows))
    figure, placed = places.grid(rows, columns, "Training curves")
    grid = placed.ravel()
    legend = {}
    for axes, ((stage, name), panel) in zip(grid, panels, strict=False):
        for (method, split), line in panel.groupby(["method", "split"], sort=False):
            label, dash = f"{method} {split}".strip(), _DASHES.get(str(split), "dashdot")
            style = look(methods.index(method)) | {"linestyle": dash, "markersize": 3, "linewidth": 1.2}
            (legend[label],) = axes.plot(line["epoch"], line["value"], label=label, **style)
        of_accuracy = "accuracy" in str(name)
        quiet(axes, f"{stage}: {name}" if several_stages else str(name), shares="y" if of_accuracy else "")
        axes.set_xlabel("epoch", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        if of_accuracy:
            axes.set_ylim(0, 1.02)
        else:
            axes.ticklabel_format(axis="y", scilimits=(-2, 5))
            axes.yaxis.get_offset_text().set_fontsize(8)
    for axes in grid[len(panels) :]:
        axes.axis("off")
    handles, labels = list(legend.values()), list(legend)
    figure.legend(handles, labels, loc="lower center", ncols=columns + 1, frameon=False, fontsize=8)
    return figure


def _checked(history: pd.DataFrame) -> pd.DataFrame:
    if history.empty:
        raise DataError("the training history is empty: no epoch was recorded; train first")
    table = history if "method" in history else history.assign(method="")
    twice = table[table.duplicated(_KEY)]
    if len(twice):
        raise DataError(
            f"{len(twice)} values of the training history have the place of another, the first "
            f"{twice.iloc[0][_KEY].to_dict()}; give the histories of several runs a `method` column "
            "that tells them apart"
        )
    # one cell of a matrix is no curve: similarity_picture draws them
    return table[[PAIR.search(name) is None for name in table["name"]]].sort_values("epoch", kind="stable")
