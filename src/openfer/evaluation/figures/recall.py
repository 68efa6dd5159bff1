"""Recall by class, methods side by side."""

from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.names import run_name
from openfer.evaluation.predictions import runs_in
from openfer.evaluation.scores import per_class


def per_class_recall_plot(predictions: pd.DataFrame) -> Any:
    """Return a plotly bar chart with a 95 % Wilson interval on every bar.

    Args:
        predictions: runs of one task, valid under :data:`openfer.schemas.PREDICTIONS`. The seeds of a variant
            and selection are averaged; their interval stays that of one test set.

    Returns:
        A figure with one trace per variant and selection; the number of samples stands under each class.

    Raises:
        DataError: if the table holds several tasks, or is empty.
    """
    import plotly.graph_objects as go

    from openfer.evaluation.figures.style import COLOURS, PATTERNS, quiet

    tasks = list(predictions["task"].unique())
    if len(tasks) != 1:
        raise DataError(f"recall by class is drawn for one task, found {tasks}; select the predictions of one")
    selections = predictions["selection"].nunique()
    found: dict[str, list[pd.DataFrame]] = {}
    for names, run in runs_in(predictions):
        label = run_name(names["method"], names["variant"]) + (f", {names['selection']}" if selections > 1 else "")
        found.setdefault(label, []).append(per_class(run))
    figure = go.Figure()
    for position, (label, seeds) in enumerate(found.items()):
        recall = pd.concat([table["recall"] for table in seeds], axis=1).mean(axis=1)
        support = seeds[0]["support"].astype(int)
        low, high = _wilson(recall.to_numpy(), support.to_numpy())
        figure.add_bar(
            name=label + (f", mean of {len(seeds)} seeds" if len(seeds) > 1 else ""),
            x=[f"{name}<br>n = {n}" for name, n in support.items()],
            y=recall.to_numpy(),
            error_y={"type": "data", "symmetric": False, "array": high - recall, "arrayminus": recall - low},
            marker={
                "color": COLOURS[position % len(COLOURS)],
                "pattern": {"shape": PATTERNS[position % len(PATTERNS)]},
            },
            hovertemplate="%{x}<br>recall %{y:.1%}<extra>" + label + "</extra>",
        )
    samples = predictions["sample_id"].nunique()
    quiet(figure, f"Recall by true class, n = {samples} (bars: 95 % Wilson interval)")
    legend = {"orientation": "h", "y": 1.01, "yanchor": "bottom"}
    figure.update_layout(barmode="group", legend=legend, margin_t=100)
    return figure.update_yaxes(title="recall", range=[0, 1.03], tickformat=".0%")


def _wilson(recall: np.ndarray, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.stats import binomtest

    bounds = np.full((2, len(recall)), np.nan)
    for i, (share, n) in enumerate(zip(recall, support, strict=True)):
        if n:
            interval = binomtest(round(share * n), int(n)).proportion_ci(method="wilson")
            bounds[:, i] = interval.low, interval.high
    return bounds[0], bounds[1]
