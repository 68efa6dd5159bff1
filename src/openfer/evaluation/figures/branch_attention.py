"""Where each branch of a network looks, over faces."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openfer.evaluation.figures.overlay import WRONG, overlay, to_own_range
from openfer.evaluation.figures.style import Places

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def branch_attention_sheet(
    images: np.ndarray, maps: Mapping[str, np.ndarray], true: Sequence[str], predicted: Sequence[str]
) -> "Figure":
    """Return a row per face: the face, then the map of every branch over it.

    A map is scaled to its own range, so colours say where within a face, not how much between branches. A wrong
    prediction is marked by a word, a cross and a dashed frame.

    Args:
        images: RGB, uint8, shape (N, S, S, 3).
        maps: by branch, any range, shape (N, h, w) each.
        true: N names.
        predicted: N names.
    """
    columns, rows = 1 + len(maps), max(len(images), 1)
    right = sum(one == other for one, other in zip(true, predicted, strict=True))
    title = f"{right} of {len(true)} faces right.\nTrue label beside each face; maps scaled to their own range."
    figure, grid = Places((1.35, 1.35), (0.06, 0.06), rim=(0.5, 0.65, 0.08)).grid(rows, columns, title, least_width=4.8)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    for axes, name in zip(grid[0], ("face", *maps), strict=True):
        axes.set_title(name, fontsize=8)
    for row, (image, name, guess) in enumerate(zip(images, true, predicted, strict=True)):
        grid[row, 0].imshow(image)
        grid[row, 0].set_ylabel(name if name == guess else f"{name}\n{WRONG}:\n{guess}", fontsize=8)
        for axes, own in zip(grid[row, 1:], maps.values(), strict=True):
            overlay(axes, image, to_own_range(own[row]), wrong=name != guess)
    return figure
