"""What all charts share: colours that colour-blind readers tell apart, and quiet axes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999")
"""Okabe and Ito's palette (2008) in an order that keeps the first ones far apart; grey is in yellow's place."""

MARKERS = "os^DvpX*"
"""Shapes of points, so that lines differ without colour too."""

_RIGHT, _ABOVE_TITLE = 0.15, 0.08
"""Inches on the right of a grid, and above its title."""


def look(number: int) -> dict[str, Any]:
    """Return colour and marker of the method, class or line with this number."""
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}


def quiet(axes: "Axes", title: str = "", *, shares: str = "") -> None:
    """Give axes a title on the left and no frame above and to the right.

    Args:
        axes: of a chart.
        title: of the panel.
        shares: axes whose values are printed in per cent, ``x``, ``y`` or ``xy``.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    for name in shares:
        getattr(axes, f"{name}axis").set_major_formatter(lambda value, _: f"{value:.0%}")


@dataclass(frozen=True)
class Places:
    """Sizes in inches of a grid of equal panels, whose places are fixed.

    Matplotlib's own layouts measure every text twice, which takes longer than drawing them.

    Attributes:
        panel: width and height of each panel, without its labels.
        gap: room for the labels of each panel, on its left and above it.
        below: room below each panel, such as for its ticks.
        rim: room on the left of the whole grid, above it and below it.
    """

    panel: tuple[float, float]
    gap: tuple[float, float]
    below: float = 0.0
    rim: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def grid(
        self, rows: int, columns: int, title: str, least_width: float = 0.0, filled: np.ndarray | None = None
    ) -> "tuple[Figure, np.ndarray]":
        """Return a new figure with a title, wrapped where it is long, and its panels, (rows, columns).

        Panels that are not ``filled``, bool, (rows, columns), are None: each takes as long as a face to draw.
        """
        from matplotlib.figure import Figure

        (width, height), (left, above), (rim, top, bottom) = self.panel, self.gap, self.rim
        own = (rim + columns * (width + left) + _RIGHT, rows * (height + above + self.below))
        whole = (max(own[0], least_width), own[1] + top + bottom)
        figure = Figure(figsize=whole)
        figure.suptitle(title, fontsize=9, x=0.01, y=1 - _ABOVE_TITLE / whole[1], ha="left", wrap=True)
        panels = np.empty((rows, columns), dtype=object)
        for row, column in np.argwhere(np.ones((rows, columns), bool) if filled is None else filled):
            x = rim + column * (width + left) + left
            y = whole[1] - top - row * (height + above + self.below) - above - height
            corner = (x / whole[0], y / whole[1])
            panels[row, column] = figure.add_axes((*corner, width / whole[0], height / whole[1]))
        return figure, panels


def headed(figure: "Figure", title: str) -> None:
    """Give a figure its title, on the left."""
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
