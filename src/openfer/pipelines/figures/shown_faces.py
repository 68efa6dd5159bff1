"""A few faces that stand for a dataset in figures: the same for every method that is trained on it."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from openfer.labels import FACTORS
from openfer.pipelines.sources import Source

_LABELS = ("expression", *FACTORS)


def some_of_each_class(data: Sequence[Source], role: str, most: int) -> list[Source]:
    """Return the sources with few faces left in their splits, as many of each class.

    Who is shown depends on the split and the labels alone: the classes are those of the expression, or of the
    first factor that the dataset labels; within a class names decide, which are hashes and mix people.

    Args:
        data: whose splits and rows are asked.
        role: whose faces are shown.
        most: faces of one dataset; of more classes than that the first ones are shown, by name.
    """
    return [replace(source, split=_shown(source.role(role), role, most)) for source in data]


def _shown(rows: pd.DataFrame, role: str, most: int) -> pd.DataFrame:
    chosen = rows.sort_values("sample_id")
    label = next((name for name in _LABELS if rows[name].notna().any()), None)
    if label is not None:
        of_class = chosen[chosen[label].notna()].groupby(label)
        chosen = of_class.head(max(1, most // of_class.ngroups)).sort_values(label, kind="stable")
    return chosen.head(most)[["sample_id"]].assign(fold=0, role=role)
