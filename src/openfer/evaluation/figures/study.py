"""A study's table as a picture: ours with its spread over seeds beside what is published."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from openfer.evaluation.figures.style import COLOURS, headed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def study_picture(table: pd.DataFrame, title: str) -> "Figure":
    """Return a matplotlib figure with one panel per column and measure, rows from top to bottom.

    Args:
        table: what :func:`openfer.evaluation.study_table.study_table` gave; only main selections are drawn.
        title: of the whole.
    """
    from matplotlib.figure import Figure

    table = _main(table)
    panels = list(table.groupby(["column", "measure"], sort=False))
    names = list(dict.fromkeys(table["row"]))
    height = 1.6 + 0.32 * len(names)
    figure = Figure(figsize=(3.2 + 4.2 * len(panels), height), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    for axis, ((column, measure), panel) in zip(axes[0], panels, strict=True):
        lines = panel.set_index("row").reindex(names)
        places = np.arange(len(names))
        spread = lines["sd"].fillna(0.0)
        axis.errorbar(
            lines["ours"],
            places,
            xerr=spread,
            fmt="o",
            color=COLOURS[0],
            capsize=3,
            label="ours, mean and sd over seeds",
        )
        if lines["published"].notna().any():
            axis.scatter(
                lines["published"], places, marker="D", facecolors="none", edgecolors=COLOURS[1], label="published"
            )
        for place, (_, line) in zip(places, lines.iterrows(), strict=True):
            if pd.isna(line["ours"]):
                axis.annotate(
                    "failed", (0.02, place), xycoords=("axes fraction", "data"), va="center", color=COLOURS[5]
                )
        axis.set_yticks(places, names)
        axis.grid(axis="x", alpha=0.3)
        axis.set_title(_caption(lines, str(column), str(measure)), fontsize=9)
        axis.set_xlabel(f"{measure} {lines['unit'].iloc[0]}".strip())
    axes[0][0].invert_yaxis()
    axes[0][0].legend(fontsize=8, loc="best")
    headed(figure, title)
    return figure


def sweep_picture(table: pd.DataFrame, title: str) -> "Figure":
    """Return a matplotlib figure with one panel per swept parameter, column and measure: ours over its values.

    Args:
        table: as :func:`study_picture` takes it, with the columns ``sweep`` and ``at``.
        title: of the whole.
    """
    from matplotlib.figure import Figure

    table = _main(table)
    panels = list(table.groupby(["sweep", "column", "measure"], sort=False))
    figure = Figure(figsize=(1.0 + 3.6 * len(panels), 3.6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)
    for axis, ((sweep, column, measure), panel) in zip(axes[0], panels, strict=True):
        panel = panel.sort_values("at")
        at = np.arange(len(panel))  # values such as 0, 0.0001 and 0.1 would lie on top of each other
        axis.errorbar(
            at, panel["ours"], yerr=panel["sd"].fillna(0.0), fmt="o-", color=COLOURS[0], capsize=3, label="ours"
        )
        if panel["published"].notna().any():
            axis.plot(at, panel["published"], "D--", color=COLOURS[1], markerfacecolor="none", label="published")
        axis.set_xticks(at, [f"{value:g}" for value in panel["at"]])
        axis.set_xlabel(str(sweep))
        axis.set_ylabel(f"{measure} {panel['unit'].iloc[0]}".strip())
        axis.set_title(_caption(panel, str(column), str(measure)), fontsize=9)
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize=8)
    headed(figure, title)
    return figure


def _main(table: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of main selections; an empty word comes back from a file as null."""
    words = ["unit", "missing", "selection", "initialisation", "data_version"]
    main = table[table["main"].astype(bool)]
    return main.astype(dict.fromkeys(words, object)).fillna(dict.fromkeys(words, ""))


def _caption(lines: pd.DataFrame, column: str, measure: str) -> str:
    told = lines.dropna(subset=["ours"])
    if told.empty:
        return column
    tested = told["trained_on"].iloc[0]
    counts = sorted({int(count) for count in told["seeds"]})
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    named = f"published: {column}; ours: {tested}" if lines["published"].notna().any() else f"{column}; on {tested}"
    return (
        f"{named}\nn = {', '.join(str(int(n)) for n in sorted(set(told['n'])))}, "
        f"seeds: {seeds}, {told['selection'].iloc[0]}"
    )
