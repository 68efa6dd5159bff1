"""Features in the plane, run beside run (ADDL, Fig. 7): colour and shape are the true class, hollow is wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from openfer.labels import EXPRESSIONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHAPES = (
    *(("circle", "o"), ("square", "s"), ("triangle-up", "^"), ("diamond", "D")),
    *(("triangle-down", "v"), ("pentagon", "p"), ("hexagon", "h"), ("star", "*")),
)
"""Shapes that can be hollow, by plotly's name and by matplotlib's."""

_NOTE = "Hollow: wrong answer. Neighbours are alike; far distances and the axes mean nothing."


def tsne_plot(embedding: pd.DataFrame) -> Any:
    """Return a plotly figure with a panel for each run; every point says whose it is, what it is and is taken for.

    Args:
        embedding: valid under :data:`openfer.schemas.EMBEDDING`.
    """
    from plotly.subplots import make_subplots

    from openfer.evaluation.figures.style import quiet

    runs = list(embedding["run"].unique())
    titles = [f"{run}, {_accuracy(embedding[embedding['run'] == run])}" for run in runs]
    figure = make_subplots(1, len(runs), subplot_titles=titles, horizontal_spacing=0.02)
    for column, run in enumerate(runs, 1):
        for name, points, colour, (shape, _) in _classes(embedding[embedding["run"] == run]):
            right = points["y_true"] == points["y_pred"]
            figure.add_scatter(
                x=points["x"],
                y=points["y"],
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                marker={
                    "color": colour,
                    "symbol": [shape if good else f"{shape}-open" for good in right],
                    "size": 7,
                    "opacity": 0.8,
                },
                customdata=points[["sample_id", "y_true", "y_pred"]].to_numpy(dtype=object),
                hovertemplate="%{customdata[0]}<br>true %{customdata[1]}<br>predicted %{customdata[2]}<extra></extra>",
                row=1,
                col=column,
            )
    quiet(figure, f"{_title(embedding)}<br><sup>{_NOTE}</sup>")
    figure.update_layout(width=140 + 430 * len(runs), height=560, margin_t=110, legend={"itemsizing": "constant"})
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, showline=True, mirror=True)
    return figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, showline=True, mirror=True)


def tsne_picture(embedding: pd.DataFrame) -> "Figure":
    """Return the same as a matplotlib figure."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    runs = list(embedding["run"].unique())
    figure = Figure(figsize=(3.6 * len(runs) + 1.5, 4.5), layout="constrained")
    figure.suptitle(f"{_title(embedding)}\n{_NOTE}", fontsize=10, x=0.01, ha="left")
    classes: dict[str, Line2D] = {}
    for axes, run in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs, strict=True):
        of_run = embedding[embedding["run"] == run]
        for name, points, colour, (_, shape) in _classes(of_run):
            right = points["y_true"] == points["y_pred"]
            for own, face in ((points[right], colour), (points[~right], "none")):
                size = 20 if shape != "*" else 40
                axes.scatter(own["x"], own["y"], size, marker=shape, facecolor=face, edgecolor=colour, linewidth=0.8)
            classes.setdefault(name, Line2D([], [], color=colour, marker=shape, linestyle="none", label=name))
        axes.set_title(f"{run}, {_accuracy(of_run)}", fontsize=10, loc="left")
        axes.set(xticks=[], yticks=[])
    figure.legend(handles=list(classes.values()), loc="outside right center", frameon=False, fontsize=9)
    return figure


def _classes(embedding: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, str, tuple[str, str]]]:
    """Yield each class that is there with its points, colour and shape."""
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
