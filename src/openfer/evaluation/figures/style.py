"""What all figures share: colours that colour-blind readers tell apart, and quiet axes."""

from typing import Any

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999")
"""Okabe and Ito's palette (2008) in an order that keeps the first ones far apart; grey is in yellow's place."""

PATTERNS = ("", "/", ".", "x", "\\", "-", "+", "|")
"""Bar fillings, so that bars differ without colour too."""


def quiet(figure: Any, title: str) -> Any:
    """Give a plotly figure the house's title, background and margins; returns it."""
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0.01, "xanchor": "left"},
        template="plotly_white",
        font={"size": 12},
        margin={"l": 70, "r": 20, "t": 70, "b": 60},
    )
    return figure
