"""Interest points over faces, kept and dropped, and what is made of them (OADN, Fig. 3)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openfer.evaluation.figures.overlay import WRONG, overlay
from openfer.evaluation.figures.style import COLOURS, Places

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KEPT, _DROPPED = COLOURS[4], COLOURS[5]


def interest_points_sheet(
    images: np.ndarray,
    points: np.ndarray,
    kept: np.ndarray,
    maps: Mapping[str, np.ndarray],
    answers: Sequence[Sequence[str]],
    true: Sequence[str],
    predicted: Sequence[str],
) -> "Figure":
    """Return one row per face: its points, its attention maps, and what each region of it answers.

    Args:
        images: RGB, uint8, (N, S, S, 3).
        points: in pixels of the image, pixel centres at whole numbers plus one half, (N, M, 2).
        kept: which points are used, (N, M), bool; the others are drawn as crosses.
        maps: title -> attention in [0, 1], (N, h, w), each in a column of its own.
        answers: each face's answer of every region, row by row from the upper left, K of them; none of them for a
            method without regions.
        true: N names.
        predicted: N names.
    """
    count, columns = len(images), 1 + len(maps) + bool(len(answers[0]))
    share = f"{np.mean(kept):.0%} of the points kept."
    title = f"Points kept (o) and dropped (x); attention on a scale from 0 to 1. {share}"
    figure, grid = Places((1.5, 1.5), (0.06, 0.06), rim=(0.4, 0.55, 0.08)).grid(count, columns, title)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
    for row, image in enumerate(images):
        _points(grid[row, 0], image, points[row], kept[row])
        grid[row, 0].set_ylabel(_caption(true[row], predicted[row]), fontsize=7)
        for column, values in enumerate(maps.values(), 1):
            overlay(grid[row, column], image, values[row], wrong=False)
        if answers[row]:
            _regions(grid[row, -1], image, answers[row], true[row])
    titles = [f"{points.shape[1]} points", *maps, *(["each region"] if answers[0] else [])]
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=8)
    return figure


def _points(axes: "Axes", image: np.ndarray, points: np.ndarray, kept: np.ndarray) -> None:
    axes.imshow(image)
    x, y = points.T - 0.5  # matplotlib has pixel centres at whole numbers
    axes.scatter(x[kept], y[kept], s=16, marker="o", facecolors=_KEPT, edgecolors="black", linewidths=0.6)
    axes.scatter(x[~kept], y[~kept], s=20, marker="x", color="black", linewidths=2.4)
    axes.scatter(x[~kept], y[~kept], s=16, marker="x", color=_DROPPED, linewidths=1.4)
    _frame(axes, image)


def _regions(axes: "Axes", image: np.ndarray, answers: Sequence[str], true: str) -> None:
    """Draw the blocks of equal width, each with its answer; a wrong one in brackets."""
    height, width = image.shape[:2]
    across = round(len(answers) ** 0.5)
    axes.imshow(image, alpha=0.6)
    for number, answer in enumerate(answers):
        down, right = divmod(number, across)
        x, y = (right + 0.5) * width / across - 0.5, (down + 0.5) * height / across - 0.5
        words = answer if answer == true else f"({answer})"
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
        axes.text(x, y, words, fontsize=5, ha="center", va="center", bbox=box)
    for line in range(1, across):
        axes.axvline(line * width / across - 0.5, color="white", linewidth=1)
        axes.axhline(line * height / across - 0.5, color="white", linewidth=1)
    _frame(axes, image)


def _frame(axes: "Axes", image: np.ndarray) -> None:
    height, width = image.shape[:2]
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def _caption(true: str, predicted: str) -> str:
    return f"{true}\n✓" if true == predicted else f"{true}\n{WRONG}: {predicted}"
