"""Train x test: scores on datasets that methods were not trained on."""

from collections.abc import Sequence

import pandas as pd

from openfer.evaluation.bootstrap import wide
from openfer.evaluation.cross_dataset import cross_dataset, own_and_elsewhere
from openfer.evaluation.entries import Entry
from openfer.evaluation.fairness import LEAST
from openfer.evaluation.figures import cross_dataset_picture
from openfer.evaluation.leaderboard import TASK
from openfer.report.parts import (
    Columns,
    Section,
    drawing,
    everywhere,
    joined,
    paragraph,
    sortable,
    whole,
    with_bounds,
    word,
)

_NAMES: Columns = {
    "variant": ("method", word),
    "trained_on": ("trained on", word),
    "tested_on": ("tested on", word),
    "side": ("which is", word),
}
_ABOUT: Columns = {
    "n": ("n", whole),
    "shared": ("classes of both", word),
    "selection": ("selection", word),
    "seed": ("seed", word),
    "run": ("run", word),
}


def cross_dataset_section(entries: Sequence[Entry]) -> Section | None:
    """Return the matrix of all methods that were tested on other datasets too; None if none was."""
    parts, runs = [], {}
    for entry in entries:
        for run in entry.runs:
            others, own = run.elsewhere, entry.main(TASK)
            own = own[own["run"] == run.name]
            if others is None or own.empty or not (others["selection"] == entry.selection).any():
                continue
            together = own_and_elsewhere(own, others, entry.facts["datasets"].iloc[0])
            # each fold's model answers all the others' faces, so folds stand apart
            several = entry.predictions["fold"].nunique() > 1
            name = f"{entry.name}, fold {own['fold'].iloc[0]}" if several else entry.name
            parts.append(together.assign(method="", variant=name))  # names that tell entries apart
            runs[name, int(own["seed"].iloc[0])] = run.name
    if not parts:
        return None
    table = cross_dataset(pd.concat(parts, ignore_index=True))
    said = paragraph(
        "Rows are training datasets, columns test datasets; a frame marks the test side of the training dataset. "
        "Scores count the faces of classes that both sides have. Columns therefore differ in n and in classes, and "
        "only cells of one column can be compared. The interval is a bootstrap by person where people are known."
    )
    scores = wide(table, ["variant", "seed", "trained_on", "tested_on"])
    named = [runs[name, seed] for name, seed in zip(scores["variant"], scores["seed"], strict=True)]
    side = scores["within"].map({True: "its own", False: "another"})
    scores = scores.assign(run=named, side=side, seed=scores["seed"].astype(str))
    columns = {**_NAMES, **with_bounds(everywhere()), **_ABOUT}
    rows = sortable(scores, columns, "trained on and tested on", last=scores["n"] < LEAST)
    picture = drawing(cross_dataset_picture(table), "accuracy by training and test dataset")
    return Section("cross", "Other datasets", joined([said, picture, rows]))
