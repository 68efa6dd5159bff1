"""Recall by class, methods side by side."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.bootstrap import wilson
from openfer.evaluation.figures.style import headed, look, quiet
from openfer.evaluation.names import run_name
from openfer.evaluation.predictions import runs_in
from openfer.evaluation.scores import per_class

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPREAD = 0.7
"""Share of a class's width that its points take."""


def recall_picture(predictions: pd.DataFrame) -> "Figure":
    """Return points with 95 % Wilson intervals: one line of points for each variant and selection.

    Args:
        predictions: runs of one task, valid under :data:`openfer.schemas.PREDICTIONS`. The seeds of a variant and
            selection are averaged; their interval stays that of one test set.

    Raises:
        DataError: if the table holds several tasks, or is empty.
    """
    from matplotlib.figure import Figure

    tasks = list(predictions["task"].unique())
    if len(tasks) != 1:
        raise DataError(f"recall by class is drawn for one task, found {tasks}; select the predictions of one")
    selections = predictions["selection"].nunique()
    found: dict[str, list[pd.DataFrame]] = {}
    for names, run in runs_in(predictions):
        label = run_name(names["method"], names["variant"]) + (f", {names['selection']}" if selections > 1 else "")
        found.setdefault(label, []).append(per_class(run))
    support = next(iter(found.values()))[0]["support"].astype(int)
    figure = Figure(figsize=(1.8 + 1.05 * len(support), 4), layout="constrained")
    axes = figure.add_subplot()
    for number, (label, seeds) in enumerate(found.items()):
        recall = pd.concat([table["recall"] for table in seeds], axis=1).mean(axis=1).to_numpy()
        pairs = zip(recall, support, strict=True)
        bounds = np.array([wilson(round(share * n), n) if n else (np.nan, np.nan) for share, n in pairs]).T
        places = np.arange(len(support)) + _SPREAD * ((number + 0.5) / len(found) - 0.5)
        name = label + (f", mean of {len(seeds)} seeds" if len(seeds) > 1 else "")
        lengths = np.abs(bounds - recall)
        axes.errorbar(places, recall, lengths, label=name, linestyle="none", markersize=5, **look(number))
    axes.set_xticks(range(len(support)), [f"{name}\nn = {n}" for name, n in support.items()])
    axes.set(ylim=(0, 1.03), ylabel="recall")
    axes.grid(axis="y", alpha=0.3)
    quiet(axes, shares="y")
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    samples = predictions["sample_id"].nunique()
    headed(figure, f"Recall by true class, n = {samples} (lines: 95 % Wilson interval)")
    return figure
