"""A map over the face that it was computed for."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRONG = "✗ WRONG"


def to_own_range(heat: np.ndarray) -> np.ndarray:
    """Return a map scaled so that its least value is 0 and its largest 1; zeros for one that is the same everywhere."""
    low, high = float(heat.min()), float(heat.max())
    return (heat - low) / (high - low) if high > low else np.zeros_like(heat, dtype=float)


def overlay(axes: "Axes", image: np.ndarray, heat: np.ndarray, *, wrong: bool) -> None:
    """Draw a face with a map stretched over it, and a dashed frame around a wrong answer.

    Args:
        axes: where.
        image: RGB, uint8, shape (S, S, 3).
        heat: in [0, 1], shape (h, w).
        wrong: whether the answer that the map is for is wrong.
    """
    from matplotlib.patches import Rectangle

    height, width = image.shape[:2]
    edges = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(image)
    axes.imshow(heat, cmap="inferno", alpha=0.5, vmin=0, vmax=1, extent=edges, interpolation="bilinear")
    if wrong:
        # black under white dashes shows on any skin and any background
        corner = (edges[0], edges[3])
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="black", linewidth=6))
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=4, linestyle="--"))
