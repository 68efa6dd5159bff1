"""Confusion matrices: shares as colour, counts as text."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_READABLE = 20
"""With more classes than this, such as identities, cells carry colour and no text."""


def confusion_picture(confusion: pd.DataFrame, task: str = "expression") -> "Figure":
    """Return a heat map: colour is the share of the true class, text the count and the share.

    Args:
        confusion: counts, index true names, columns predicted names (:func:`openfer.evaluation.scores.confusion`).
        task: what was classified, for the title.
    """
    from matplotlib.figure import Figure

    size = 2.2 + 0.7 * min(len(confusion), _READABLE)
    figure = Figure(figsize=(size + 1.6, size), layout="constrained")
    axes = figure.add_subplot()
    shares = _shares(confusion)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8, format=lambda value, _: f"{value:.0%}")
    axes.set_xticks(range(len(confusion.columns)), list(confusion.columns), rotation=35, ha="right")
    axes.set_yticks(range(len(confusion)), _with_n(confusion))
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(_title(confusion, task), fontsize=11, loc="left")
    if len(confusion) > _READABLE:
        return figure
    for (row, column), count in np.ndenumerate(confusion.to_numpy()):
        share = shares[row, column]
        words = f"{count}\n{share:.0%}" if count else "0"
        axes.text(column, row, words, ha="center", va="center", fontsize=9, color="white" if share > 0.55 else "black")
    return figure


def _shares(confusion: pd.DataFrame) -> np.ndarray:
    """Divide each row by its sum; a class without samples gives zeros."""
    counts = confusion.to_numpy(dtype=float)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _with_n(confusion: pd.DataFrame) -> list[str]:
    return [f"{name} (n = {count})" for name, count in confusion.sum(axis=1).items()]


def _title(confusion: pd.DataFrame, task: str) -> str:
    n, right = int(confusion.to_numpy().sum()), int(np.trace(confusion.to_numpy()))
    return f"Confusion of {task}, n = {n}, accuracy {right / max(n, 1):.1%}"
