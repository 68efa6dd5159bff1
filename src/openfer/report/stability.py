"""Whether answers hold over a sequence, of methods that were tested on the frames before a peak."""

from collections.abc import Sequence

import pandas as pd

from openfer.evaluation.entries import Entry
from openfer.evaluation.fairness import LEAST
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.mean_over_seeds import mean_over_seeds
from openfer.evaluation.stability import PLACES
from openfer.report.parts import (
    Columns,
    Section,
    joined,
    one,
    paragraph,
    percent,
    sheet,
    sortable,
    unfold,
    whole,
    word,
)

_SHARES = ("fc_share", "cfc_share", "cfc_of_fc", *(f"accuracy_{place}" for place in PLACES))

_COLUMNS: Columns = {
    "entry": ("method", word),
    "dataset": ("dataset", word),
    "fc": ("FC", one),
    "fc_share": ("of the sequences %", percent),
    "cfc": ("CFC", one),
    "cfc_share": ("CFC of the sequences %", percent),
    "cfc_of_fc": ("CFC of the FC %", percent),
    **{f"accuracy_{place}": (f"right at {place} %", percent) for place in PLACES},
    "n": ("sequences", whole),
    "seeds": ("seeds", whole),
    "selection": ("selection", word),
    "runs": ("run", word),
}


def stability_section(entries: Sequence[Entry]) -> Section | None:
    """Return failures over sequences of all methods that have counted them, and pictures; None if none has."""
    tables, pictures = [], []
    for entry in entries:
        counted = [table for run in entry.runs if (table := run.stability) is not None]
        own = pd.concat(counted, ignore_index=True) if counted else pd.DataFrame(columns=["selection", "task"])
        own = own[(own["selection"] == entry.selection) & (own["task"] == TASK)]
        if own.empty:
            continue
        means = mean_over_seeds(own, ["dataset"], ["n"], ["fc", "cfc", *_SHARES])
        tables.append(means.assign(entry=entry.name, selection=entry.selection, runs=entry.folders))
        path = entry.runs[0].picture("stability")
        if path is not None:
            pictures.append(unfold(f"{entry.name}: sequences", sheet(path, f"failures of run {entry.runs[0].name}")))
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True)
    said = paragraph(
        "The four frames before the peak of each sequence are tested. A failure case (FC) is a sequence with a wrong "
        "frame. A consistent failure case (CFC) is a sequence whose four frames get the same wrong class. Counts and "
        "shares are means over seeds. The peak is a training image, so the people were seen in training: these "
        "accuracies cannot be compared with any other on this page."
    )
    rows = sortable(table, _COLUMNS, "stability over sequences", last=table["n"] < LEAST)
    return Section("stability", "Stability", joined([said, rows, *pictures]))
