"""Train x test: one matrix of cells per method."""

from typing import TYPE_CHECKING

import pandas as pd

from openfer.evaluation.names import run_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = (2.1, 1.0)
"""Inches."""


def cross_dataset_picture(table: pd.DataFrame, metric: str = "accuracy") -> "Figure":
    """Return a matplotlib figure: rows are what trained, columns what tested.

    Args:
        table: what :func:`openfer.evaluation.cross_dataset.cross_dataset` gave; seeds of one method are averaged,
            and have no interval.
        metric: which score.

    Returns:
        One panel per method. A cell says the score, its 95 % interval, n and how many classes are shared; the cells
        of a dataset on itself have a frame.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    chosen = table[table["metric"] == metric]
    tested = list(dict.fromkeys(chosen["tested_on"]))
    methods = list(chosen.groupby(["method", "variant", "selection"], sort=False))
    rows = [list(dict.fromkeys(own["trained_on"])) for _, own in methods]
    height = sum(_CELL[1] * len(names) + 0.9 for names in rows)
    figure = Figure(figsize=(_CELL[0] * len(tested) + 2.4, height + 0.4), layout="constrained")
    panels = figure.subplots(len(methods), 1, squeeze=False, height_ratios=[len(names) for names in rows])[:, 0]
    for axes, ((method, variant, selection), own), trained in zip(panels, methods, rows, strict=True):
        grid = own.pivot_table(index="trained_on", columns="tested_on", values="value").reindex(trained, columns=tested)
        axes.imshow(grid, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), cells in own.groupby(["trained_on", "tested_on"], sort=False):
            first, place = cells.iloc[0], (tested.index(column), trained.index(row))
            value = cells["value"].mean()
            known = len(cells) == 1 and pd.notna(first["low"])
            bounds = [f"{100 * first['low']:.1f} to {100 * first['high']:.1f}"] if known else []
            size = f"n = {first['n']:,}, {first['shared'].count(',') + 1} classes"
            words = "\n".join([f"{100 * value:.1f}", *bounds, size])
            axes.text(*place, words, ha="center", va="center", fontsize=8, color="white" if value > 0.55 else "black")
            if first["within"]:
                corner = (place[0] - 0.47, place[1] - 0.46)
                axes.add_patch(Rectangle(corner, 0.94, 0.92, fill=False, edgecolor="black", linewidth=2))
        axes.set_xticks(range(len(tested)), tested, fontsize=9)
        axes.set_yticks(range(len(trained)), trained, fontsize=9)
        axes.set_xlabel("tested on")
        axes.set_ylabel("trained on")
        name = run_name(str(method), str(variant))
        axes.set_title(f"{name} ({selection}): {metric.replace('_', ' ')} in %", fontsize=10, loc="left")
    return figure
