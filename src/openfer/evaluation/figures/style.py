"""What all charts share: colours that colour-blind readers tell apart, and quiet axes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999")
"""Okabe and Ito's palette (2008) in an order that keeps the first ones far apart; grey is in yellow's place."""

MARKERS = "os^DvpX*"
"""Shapes of points, so that lines differ without colour too."""


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


def headed(figure: "Figure", title: str) -> None:
    """Give a figure its title, on the left."""
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
