"""Features in the plane, run beside run (ADDL, Fig. 7): colour and shape are the true class, hollow is wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from openfer.labels import EXPRESSIONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FACE = "#face-"
"""Each point links to this and its sample id, in formats with links."""

_SHAPES = "os^Dvph*"
"""Shapes that can be hollow."""

_NOTE = "Hollow: wrong answer. Neighbours are similar;\nfar distances and the axes mean nothing."


def tsne_picture(embedding: pd.DataFrame) -> "Figure":
    """Return a panel for each run.

    Args:
        embedding: valid under :data:`openfer.schemas.EMBEDDING`.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    runs = list(embedding["run"].unique())
    figure = Figure(figsize=(3.6 * len(runs) + 1.5, 4.5), layout="constrained")
    figure.suptitle(f"{_title(embedding)}\n{_NOTE}", fontsize=10, x=0.01, ha="left")
    classes: dict[str, Line2D] = {}
    for axes, run in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs, strict=True):
        of_run = embedding[embedding["run"] == run]
        for name, points, colour, shape in _classes(of_run):
            right = points["y_true"] == points["y_pred"]
            for own, face in ((points[right], colour), (points[~right], "none")):
                size = 20 if shape != "*" else 40
                style = {"marker": shape, "facecolor": face, "edgecolor": colour, "linewidth": 0.8}
                axes.scatter(own["x"], own["y"], size, urls=(FACE + own["sample_id"]).tolist(), **style)
            classes.setdefault(name, Line2D([], [], color=colour, marker=shape, linestyle="none", label=name))
        axes.set_title(f"{run}, {_accuracy(of_run)}", fontsize=10, loc="left")
        axes.set(xticks=[], yticks=[])
    figure.legend(handles=list(classes.values()), loc="outside right center", frameon=False, fontsize=9)
    return figure


def _classes(embedding: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, str, str]]:
    """Yield each class in the table with its points, colour and marker."""
    from openfer.evaluation.figures.style import COLOURS

    present = set(embedding["y_true"])
    order = [name for name in EXPRESSIONS if name in present]
    for place, name in enumerate([*order, *sorted(present - set(order))]):
        points = embedding[embedding["y_true"] == name]
        yield name, points, COLOURS[place % len(COLOURS)], _SHAPES[place % len(_SHAPES)]


def _accuracy(embedding: pd.DataFrame) -> str:
    return f"{(embedding['y_true'] == embedding['y_pred']).mean():.1%} right"


def _title(embedding: pd.DataFrame) -> str:
    return f"Features of tested faces by t-SNE, n = {embedding['sample_id'].nunique()}"
