"""Training curves: one panel per recorded name, methods as colours, splits as dashes."""

from math import ceil
from typing import Any

import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.figures.similarity import PAIR

_COLUMNS = 3
_KEY = ["method", "stage", "name", "split", "epoch"]
_DASHES = {"train": "solid", "val": "dash", "test": "dot", "oracle_test": "dot"}


def training_curves(history: pd.DataFrame) -> Any:
    """Return a plotly figure of all that training recorded, accuracies first, cells of matrices apart.

    Args:
        history: long table with the columns ``stage, epoch, split, name, value``, and ``method`` where
            several methods share the panels. Names that contain ``accuracy`` are shares in [0, 1].

    Returns:
        A figure with one panel per stage and name, and one trace per panel, method and split.

    Raises:
        DataError: if the history is empty, or two values have the same place.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from openfer.evaluation.figures.style import COLOURS, quiet

    table = _checked(history)
    panels = list(table.groupby(["stage", "name"], sort=False))
    panels.sort(key=lambda panel: "accuracy" not in str(panel[0][1]))
    several_stages = table["stage"].nunique() > 1
    titles = [f"{stage}: {name}" if several_stages else str(name) for (stage, name), _ in panels]
    columns = min(_COLUMNS, len(panels))
    rows = ceil(len(panels) / columns)
    figure = make_subplots(rows, columns, subplot_titles=titles, vertical_spacing=0.35 / (rows + 0.4))
    methods = list(table["method"].unique())
    legend: set[str] = set()
    for index, ((_, name), panel) in enumerate(panels):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        for (method, split), line in panel.groupby(["method", "split"], sort=False):
            label = f"{method} {split}".strip()
            trace = go.Scatter(
                x=line["epoch"],
                y=line["value"],
                name=label,
                legendgroup=label,
                showlegend=label not in legend,
                mode="lines+markers",
                marker={"size": 5, "symbol": methods.index(method)},
                line={
                    "color": COLOURS[methods.index(method) % len(COLOURS)],
                    "dash": _DASHES.get(str(split), "dashdot"),
                },
            )
            legend.add(label)
            figure.add_trace(trace, **place)
        figure.update_xaxes(title="epoch" if index + columns >= len(panels) else None, **place)
        if "accuracy" in str(name):
            figure.update_yaxes(range=[0, 1], tickformat=".0%", **place)
    quiet(figure, "Training curves")
    return figure.update_layout(
        height=160 + 230 * rows, legend={"orientation": "h", "y": -0.25 / rows, "yanchor": "top"}
    )


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
