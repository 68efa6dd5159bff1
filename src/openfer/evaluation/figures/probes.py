"""What each feature knows of each factor, before training and after: factors by features, a panel for each variant."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from openfer.evaluation.names import run_name
from openfer.evaluation.probes import TARGETS, probe_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PARTS = {"expression": "e", "disturbance": "d"}
"""Parts by the letter of their feature: f^e, f^d."""

_WHENS = ("before", "after")
_SCALE = "share of the way from chance (0) to always right (1)"
_DARK = 0.72


class _Panel(NamedTuple):
    """One variant.

    Attributes:
        title: its name, and how many seeds.
        columns: part and time.
        rows: factor, and its chance in words.
        means: balanced accuracy, (rows, columns); NaN where it was not measured.
        spreads: its deviation over seeds; NaN for one seed.
        colours: share of the way from chance to 1.
    """

    title: str
    columns: list[tuple[str, str]]
    rows: list[tuple[str, str]]
    means: np.ndarray
    spreads: np.ndarray
    colours: np.ndarray

    def words(self) -> list[list[str]]:
        """Return the text of each cell."""
        return [
            [_word(mean, spread) for mean, spread in zip(*pair, strict=True)]
            for pair in zip(self.means, self.spreads, strict=True)
        ]


def probe_picture(probes: pd.DataFrame) -> "Figure":
    """Return a heat map of balanced accuracies with a panel for each variant.

    Colour is the share of the way from chance to always correct, so that factors with different numbers of classes can
    be compared. Text is the balanced accuracy; chance stands beside the factor.

    Args:
        probes: valid under :data:`openfer.schemas.PROBES`, any number of runs; seeds of a variant are averaged.
    """
    from matplotlib.figure import Figure

    panels = _panels(probes)
    widths = [len(panel.columns) for panel in panels]
    size = (3.4 + 0.78 * sum(widths), 1.9 + 0.56 * len(panels[0].rows))
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(_title(probes), fontsize=10, x=0.01, ha="left")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True, width_ratios=widths)[0]
    for axes, panel in zip(grid, panels, strict=True):
        image = axes.imshow(panel.colours, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="none")
        axes.set_title(panel.title, fontsize=9, loc="left")
        columns = [f"$f^{_PARTS[part]}$\n{when}" for part, when in panel.columns]
        axes.set_xticks(range(len(columns)), columns, fontsize=8)
        axes.set_yticks(range(len(panel.rows)), ["\n".join(row) for row in panel.rows], fontsize=8)
        axes.tick_params(length=0)
        for row, words in enumerate(panel.words()):
            for column, word in enumerate(words):
                dark = panel.colours[row, column] > _DARK
                axes.text(column, row, word, ha="center", va="center", fontsize=8, color="white" if dark else "black")
        of_expression = sum(part == "expression" for part, _ in panel.columns)
        if of_expression < len(panel.columns):
            axes.axvline(of_expression - 0.5, color="black", linewidth=1.2)
    figure.colorbar(image, ax=grid, label=_SCALE, shrink=0.9, pad=0.01)
    return figure


def _panels(probes: pd.DataFrame) -> list[_Panel]:
    summary = probe_summary(probes)
    factors = [target for target in TARGETS if target in set(summary["factor"])]
    several = summary["selection"].nunique() > 1
    panels = []
    for (method, variant, selection), own in summary.groupby(["method", "variant", "selection"], sort=False):
        name = run_name(str(method), str(variant)) + (f", {selection}" if several else "")
        seeds = int(own["seeds"].max())
        columns = [(p, w) for p in _PARTS for w in _WHENS if ((own["part"] == p) & (own["when"] == w)).any()]
        cells = own.set_index(["factor", "part", "when"])

        def table(what: str, cells: pd.DataFrame = cells, columns: list[tuple[str, str]] = columns) -> np.ndarray:
            wanted = pd.MultiIndex.from_tuples([(factor, *column) for factor in factors for column in columns])
            return cells[what].reindex(wanted).to_numpy(float).reshape(len(factors), len(columns))

        means, chance = table("balanced_accuracy"), table("balanced_chance")
        panels.append(
            _Panel(
                title=name + (f", {seeds} seeds" if seeds > 1 else ""),
                columns=columns,
                rows=[_row(summary[summary["factor"] == factor]) for factor in factors],
                means=means,
                spreads=table("balanced_accuracy_std"),
                colours=(means - chance) / (1 - chance),
            )
        )
    return panels


def _row(of_factor: pd.DataFrame) -> tuple[str, str]:
    images = ", other images" if of_factor["held_out"].iloc[0] == "images" else ""
    return str(of_factor["factor"].iloc[0]), f"(chance {of_factor['balanced_chance'].iloc[0]:.0%}{images})"


def _word(mean: float, spread: float) -> str:
    if np.isnan(mean):
        return ""
    return f"{100 * mean:.0f}%" + ("" if np.isnan(spread) else f"\n±{100 * spread:.1f}")


def _title(probes: pd.DataFrame) -> str:
    n = sorted(set(probes["n"]))
    faces = f"n = {n[-1]} faces of {probes['people'].max()} people"
    return f"What linear probes read from each feature: balanced accuracy, {faces} that no run has seen"
