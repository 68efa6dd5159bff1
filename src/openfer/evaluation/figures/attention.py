"""Attentive feature maps over faces (ADDL, Fig. 5)."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from openfer.evaluation.figures.overlay import WRONG, overlay, to_own_range
from openfer.evaluation.figures.style import Places

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PER_ROW = 7


def attention_sheet(images: np.ndarray, maps: np.ndarray, true: Sequence[str], predicted: Sequence[str]) -> "Figure":
    """Return faces, each with its attentive feature map added over it below.

    The map (the sum of the attention's output over channels) is resized to the face and scaled to its
    own range, so colours say where within a face, not how much between faces. A wrong prediction is
    marked by a word, a cross and a dashed frame.

    Args:
        images: RGB, uint8, shape (N, S, S, 3).
        maps: any range, shape (N, h, w).
        true: N names.
        predicted: N names.
    """
    columns = min(_PER_ROW, max(len(images), 1))
    rows = ceil(len(images) / columns)
    places = Places((1.4, 1.4), (0.08, 0.36), rim=(0.0, 0.5, 0.08))
    figure, grid = places.grid(max(2 * rows, 1), columns, _title(true, predicted), least_width=4.4)
    for axes in grid.flat:
        axes.axis("off")
    for index, (image, attention, right, guess) in enumerate(zip(images, maps, true, predicted, strict=True)):
        row, column = 2 * (index // columns), index % columns
        grid[row, column].imshow(image)
        grid[row, column].set_title(_caption(right, guess), fontsize=8, fontweight="bold" if right != guess else None)
        overlay(grid[row + 1, column], image, to_own_range(attention), wrong=right != guess)
    return figure


def _caption(true: str, predicted: str) -> str:
    return f"{true}\n✓" if true == predicted else f"{true}\n{WRONG}: {predicted}"


def _title(true: Sequence[str], predicted: Sequence[str]) -> str:
    right = sum(a == b for a, b in zip(true, predicted, strict=True))
    return f"{right} of {len(true)} faces right.\nTrue label above each face; maps scaled to their own range."
