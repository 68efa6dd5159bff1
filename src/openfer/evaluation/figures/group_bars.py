"""A score by group, with intervals: for whom a number holds."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from openfer.evaluation.figures.style import headed, look, quiet
from openfer.evaluation.groups import ALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_LETTERS = 14
"""Of a line of a group's name."""


def group_bars_picture(scores: pd.DataFrame, metric: str = "accuracy") -> "Figure":
    """Return a panel for each kind of groups: a point with its interval for each method and group.

    Args:
        scores: of any methods (:func:`openfer.evaluation.fairness.fairness`), with their names in the column ``name``;
            several rows of a method and group, such as seeds, are averaged. Groups that are not ranked are pale and
            have no interval.
        metric: which one, with an interval.
    """
    from matplotlib.figure import Figure

    chosen = scores[scores["metric"] == metric]
    kinds = list(chosen[chosen["by"] != ALL].groupby("by", sort=False))
    methods = list(dict.fromkeys(chosen["name"]))
    columns = min(_COLUMNS, max(len(kinds), 1))
    chunks = [kinds[start : start + columns] for start in range(0, len(kinds), columns)]
    heights = [max(own["group"].nunique() for _, own in chunk) * (0.28 + 0.14 * len(methods)) + 0.7 for chunk in chunks]
    figure = Figure(figsize=(4.2 * columns, 1.1 + sum(heights)), layout="constrained")
    grid = figure.subplots(max(len(chunks), 1), columns, squeeze=False, height_ratios=heights or None)
    for axes in grid.flat:
        axes.axis("off")
    for row, chunk in zip(grid, chunks, strict=False):
        for axes, (by, own) in zip(row, chunk, strict=False):
            axes.axis("on")
            _panel(axes, str(by), own, methods)
    whole = chosen[chosen["by"] == ALL].groupby("name", sort=False)["value"].mean()
    told = ", ".join(f"{name} {value:.1%}" for name, value in whole.items())
    headed(figure, f"{metric.replace('_', ' ').capitalize()} by group (lines: 95 % intervals). All faces: {told}")
    if len(methods) > 1 and kinds:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure


def _panel(axes: "Axes", by: str, scores: pd.DataFrame, methods: list[str]) -> None:
    means = scores.groupby(["group", "name"], sort=False)[["value", "low", "high", "n", "people", "ranked"]].mean()
    groups = list(dict.fromkeys(scores["group"]))
    for number, method in enumerate(methods):
        own = means.xs(method, level="name").reindex(groups)
        places = np.arange(len(groups)) + 0.7 * ((number + 0.5) / len(methods) - 0.5)
        bounds = np.stack([own["value"] - own["low"], own["high"] - own["value"]]).clip(0)
        style = look(number) | {"linestyle": "none", "markersize": 5}
        ranked = own["ranked"].fillna(0).to_numpy() > 0
        axes.errorbar(own["value"][ranked], places[ranked], xerr=bounds[:, ranked], label=method, **style)
        axes.plot(own["value"][~ranked], places[~ranked], alpha=0.35, **style)
    first = means.groupby("group", sort=False).first().reindex(groups)
    words = ["\n".join(textwrap.wrap(group, _LETTERS)) for group in groups]
    sizes = zip(first["n"].tolist(), first["people"].tolist(), strict=True)
    counts = [f"n = {n:.0f}" + (f" of {people:.0f}" if people < n else "") for n, people in sizes]
    axes.set_yticks(range(len(groups)), [f"{name}\n{count}" for name, count in zip(words, counts, strict=True)])
    axes.set(xlim=(0, 1.02), ylim=(len(groups) - 0.5, -0.5))
    axes.grid(axis="x", alpha=0.3)
    quiet(axes, by, shares="x")
