"""A study's table as a picture: ours with its spread over seeds beside what is published."""

from typing import Any

import numpy as np
import pandas as pd


def study_picture(table: pd.DataFrame, title: str) -> Any:
    """Return a matplotlib figure with one panel per column and measure, rows from top to bottom.

    Args:
        table: what :func:`openfer.evaluation.study_table.study_table` gave; only main selections are drawn.
        title: of the whole.
    """
    import matplotlib.pyplot as plt

    from openfer.evaluation.figures.style import COLOURS

    table = _main(table)
    panels = list(table.groupby(["column", "measure"], sort=False))
    names = list(dict.fromkeys(table["row"]))
    height = 1.6 + 0.32 * len(names)
    figure, axes = plt.subplots(
        1, len(panels), figsize=(3.2 + 4.2 * len(panels), height), sharey=True, squeeze=False, layout="constrained"
    )
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
    figure.suptitle(title, fontsize=11)
    plt.close(figure)
    return figure


def sweep_picture(table: pd.DataFrame, title: str) -> Any:
    """Return a matplotlib figure with one panel per swept parameter, column and measure: ours over its values.

    Args:
        table: as :func:`study_picture` takes it, with the columns ``sweep`` and ``at``.
        title: of the whole.
    """
    import matplotlib.pyplot as plt

    from openfer.evaluation.figures.style import COLOURS

    table = _main(table)
    panels = list(table.groupby(["sweep", "column", "measure"], sort=False))
    figure, axes = plt.subplots(
        1, len(panels), figsize=(1.0 + 3.6 * len(panels), 3.6), squeeze=False, layout="constrained"
    )
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
    figure.suptitle(title, fontsize=11)
    plt.close(figure)
    return figure


def study_plot(table: pd.DataFrame, title: str) -> Any:
    """Return the plotly figure of all lines; each point says its n, seeds, selection and data."""
    import plotly.graph_objects as go

    from openfer.evaluation.figures.style import COLOURS, quiet

    table = _main(table)
    figure = go.Figure()
    for number, ((column, measure), panel) in enumerate(table.groupby(["column", "measure"], sort=False)):
        colour = COLOURS[number % len(COLOURS)]
        label = f"{column}, {measure}"
        told = panel[["n", "seeds", "selection", "trained_on", "initialisation", "data_version", "missing"]].astype(str)
        figure.add_scatter(
            x=panel["ours"],
            y=panel["row"],
            error_x={"type": "data", "array": panel["sd"].fillna(0.0)},
            mode="markers",
            marker={"color": colour, "size": 9},
            name=f"ours: {label}",
            customdata=told.to_numpy(),
            hovertemplate=(
                "%{y}: %{x:.2f}<br>n = %{customdata[0]}, seeds %{customdata[1]}, %{customdata[2]}<br>trained on "
                "%{customdata[3]}<br>%{customdata[4]}, data %{customdata[5]}<br>%{customdata[6]}<extra></extra>"
            ),
        )
        if panel["published"].notna().any():
            figure.add_scatter(
                x=panel["published"],
                y=panel["row"],
                mode="markers",
                marker={"color": colour, "size": 9, "symbol": "diamond-open"},
                name=f"published: {label}",
            )
    quiet(figure, title)
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=list(dict.fromkeys(table["row"])))
    return figure.update_layout(height=200 + 34 * table["row"].nunique())


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
