"""Sequences that a method gets wrong, frame by frame, with what it takes each frame for (SNA's examples of CFC)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openfer.evaluation.figures.overlay import WRONG
from openfer.evaluation.stability import PLACES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = 1.35


@dataclass(frozen=True)
class ShownSequence:
    """One line of the figure.

    Attributes:
        name: of the sequence.
        images: the tested frames in order and then the peak, RGB, uint8, (5, S, S, 3).
        true: its label.
        predicted: the answers for the tested frames, in order.
    """

    name: str
    images: np.ndarray
    true: str
    predicted: Sequence[str]


def stability_sheet(shown: Sequence[ShownSequence], title: str) -> "Figure":
    """Return one row of five frames per sequence, the answer below each; the peak was trained on and has none.

    Args:
        shown: the sequences; with none, the figure is its title.
        title: which sequences of how many these are.
    """
    from matplotlib.figure import Figure

    columns = (*PLACES, "T (trained on)")
    size = (_CELL * (len(columns) + 0.6), (_CELL + 0.3) * max(len(shown), 0.4) + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=9, x=0.01, ha="left", wrap=True)
    if not shown:
        return figure
    grid = figure.subplots(len(shown), len(columns), squeeze=False)
    for axes, sequence in zip(grid, shown, strict=True):
        captions = [f"✓ {name}" if name == sequence.true else f"{WRONG}: {name}" for name in sequence.predicted]
        for cell, image, caption in zip(axes, sequence.images, [*captions, sequence.true], strict=True):
            cell.imshow(image)
            cell.set(xticks=[], yticks=[])
            cell.set_xlabel(caption, fontsize=7)
        axes[0].set_ylabel(f"{sequence.true}\n{sequence.name}", fontsize=6)
    for cell, name in zip(grid[0], columns, strict=True):
        cell.set_title(name, fontsize=8)
    return figure
