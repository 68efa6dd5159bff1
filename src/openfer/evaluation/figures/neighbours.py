"""Where semantic neighbours differ from the face that they are drawn from (SNA)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def change_picture(mean_face: np.ndarray, change: np.ndarray, regions: Mapping[str, np.ndarray]) -> "Figure":
    """Return the mean face, the mean change of a pixel over it with the regions' outlines, and the change by region.

    Args:
        mean_face: grey, in [0, 1], (S, S).
        change: mean absolute difference of neighbours from their faces' reconstruction, in [0, 1], (S, S).
        regions: by name bool (S, S).
    """
    from matplotlib.figure import Figure

    from openfer.evaluation.figures.style import COLOURS

    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    plain, mapped, bars = figure.subplots(1, 3, width_ratios=(1, 1.2, 1.2))
    for axes in (plain, mapped):
        axes.set_xticks([])
        axes.set_yticks([])
    plain.imshow(mean_face, cmap="gray", vmin=0, vmax=1)
    plain.set_title("mean face", fontsize=10, loc="left")
    shown = mapped.imshow(255 * change, cmap="viridis")
    for name, mask in regions.items():
        if name != "rest":
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = (columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5)
            mapped.plot([box[0], box[2], box[2], box[0], box[0]], [box[1], box[1], box[3], box[3], box[1]], "w-", lw=1)
            mapped.text(box[0] + 1, box[1] + 4, name, color="white", fontsize=7)
    figure.colorbar(shown, ax=mapped, label="grey levels of 255")
    mapped.set_title("mean change of a neighbour", fontsize=10, loc="left")
    means = [255 * float(change[mask].mean()) for mask in regions.values()]
    bars.barh(range(len(means)), means, color=COLOURS[0])
    bars.set_yticks(range(len(means)), list(regions))
    bars.invert_yaxis()
    bars.set_xlabel("mean change, grey levels of 255")
    bars.spines[["top", "right"]].set_visible(False)
    bars.set_title("by region", fontsize=10, loc="left")
    return figure


def masked_picture(table: pd.DataFrame) -> "Figure":
    """Return who was masked over the epochs: by class, and by whether the label had been made wrong.

    Args:
        table: one row per ``epoch``, ``kind`` (all, class, flipped) and ``group``, with ``n`` faces shown, the share
            ``masked`` of them, and their mean ``divergence``.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from openfer.evaluation.figures.style import COLOURS

    kinds = [kind for kind in ("all", "class", "flipped") if (table["kind"] == kind).any()]
    figure = Figure(figsize=(4.6 * len(kinds), 3.9), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False)[0]
    titles = {"all": "mean divergence of a face and its neighbour", "class": "masked, by class",
              "flipped": "masked, by whether the label is wrong"}  # fmt: skip
    for axes, kind in zip(panels, kinds, strict=True):
        rows = table[table["kind"] == kind]
        for number, (group, own) in enumerate(rows.groupby("group", sort=False)):
            value = own["divergence"] if kind == "all" else own["masked"]
            label = f"{group} (n = {own['n'].iloc[0]:,})"
            style = {"color": COLOURS[number % len(COLOURS)], "marker": "os^vDPX*"[number % 8], "markersize": 4}
            axes.plot(own["epoch"], value, label=label, **style)
        axes.set_title(titles[kind], fontsize=10, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        if kind == "all":
            axes.set_ylabel("nats")
        else:
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.legend(fontsize=7, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
