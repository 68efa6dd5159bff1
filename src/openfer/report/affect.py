"""Valence and arousal: agreement of predicted values with the ratings."""

from collections.abc import Sequence

import pandas as pd

from openfer.evaluation.entries import ORACLE, Entry
from openfer.evaluation.fairness import LEAST
from openfer.evaluation.metrics import named
from openfer.evaluation.scores import summarise
from openfer.labels import AFFECT
from openfer.report.parts import Columns, Section, joined, of_metrics, paragraph, sortable, whole, word

_ABOUT: Columns = {
    **{f"{name}_n": (f"n, {name}", whole) for name in AFFECT},
    "seeds": ("seeds", whole),
    "seed": ("seed", word),
    "tested": ("tested on", word),
    "runs": ("run", word),
}


def affect_section(entries: Sequence[Entry]) -> Section | None:
    """Return the scores of all methods that predict valence and arousal, oracles left out; None if none does."""
    tables = []
    for entry in entries:
        honest = entry.predictions[entry.predictions["selection"] != ORACLE]
        summary = summarise(honest) if len(honest) else pd.DataFrame()
        if f"{AFFECT[0]}_n" in summary:
            about = {"entry": entry.name, "tested": entry.tested, "runs": entry.folders, "seed": entry.said("seed")}
            tables.append(summary.dropna(subset=[f"{AFFECT[0]}_n"]).assign(**about))
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True)
    said = paragraph(
        "The concordance correlation coefficient (CCC, 1 if equal, 0 if unrelated) and the root mean square error "
        "(RMSE) over the rated faces, means over seeds. Values and ratings are in [-1, 1]."
    )
    few = table[[f"{name}_n" for name in AFFECT]].min(axis=1) < LEAST
    columns = {"entry": ("method", word), "selection": ("selection", word), **of_metrics(named("values")), **_ABOUT}
    return Section(
        "affect", "Valence and arousal", joined([said, sortable(table, columns, "valence and arousal", last=few)])
    )
