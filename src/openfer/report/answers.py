"""Which classes are taken for which, and whether confidence agrees with accuracy."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from openfer.evaluation.calibration import BINS, reliability
from openfer.evaluation.entries import Entry
from openfer.evaluation.figures import confusion_picture, reliability_picture
from openfer.evaluation.figures.style import COLOURS
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.scores import confusion
from openfer.report.parts import (
    Columns,
    Section,
    drawing,
    joined,
    paragraph,
    percent,
    side_by_side,
    sortable,
    unfold,
    whole,
    word,
)

_DRAWN = len(COLOURS)
"""Largest number of methods in a figure; the tables have all."""

_BINS: Columns = {
    "entry": ("method", word),
    "confidence": ("confidence %", percent),
    "accuracy": ("accuracy %", percent),
    "n": ("n", whole),
    "tested": ("tested on", word),
    "runs": ("run", word),
}


def confusion_section(entries: Sequence[Entry]) -> Section:
    """Return a confusion matrix for each method, of all its runs together."""
    drawn = []
    for entry in entries:
        run = entry.main(TASK)
        if run.empty:
            continue
        total = confusion(run)
        n, right = int(total.to_numpy().sum()), int(np.trace(total.to_numpy()))
        label = f"confusion of {entry.name} on {entry.tested}"
        caption = f"{entry.name} on {entry.tested}, {entry.selection}: {right:,} of {n:,} correct. Run {entry.folders}."
        drawn.append(drawing(confusion_picture(total), label, caption))
    said = paragraph("Rows are true classes, columns predicted ones. Colour is the share of the true class.")
    return Section("confusion", "Confusion", joined([said, side_by_side(drawn)]))


def reliability_section(entries: Sequence[Entry]) -> Section:
    """Return accuracy by confidence."""
    drawn, tables = [], []
    for tested in dict.fromkeys(entry.tested for entry in entries):
        own = [entry for entry in entries if entry.tested == tested and len(entry.main(TASK))]
        found = {entry.name: reliability(entry.main(TASK)) for entry in own}
        if found:
            shown = dict(list(found.items())[:_DRAWN])
            drawn.append(drawing(reliability_picture(shown), f"reliability on {tested}", f"On {tested}."))
        tables += [found[each.name].dropna().assign(entry=each.name, tested=tested, runs=each.folders) for each in own]
    said = paragraph(
        f"The confidence is the probability of the predicted class (of an ensemble that votes, the share of votes), in "
        f"{BINS} bins of equal width. Below the dashed line a method is more confident than correct. The error in the "
        "legend is the expected calibration error of all seeds together; the leaderboard has the mean over seeds."
    )
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(_BINS))
    rows = unfold("All bins as a table", sortable(table, _BINS, "reliability by bin"))
    return Section("reliability", "Reliability", joined([said, side_by_side(drawn), rows]))
