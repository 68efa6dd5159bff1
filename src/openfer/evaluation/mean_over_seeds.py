"""Tables of measurements, summarised over the seeds of a run."""

from collections.abc import Sequence

import pandas as pd

from openfer.errors import DataError


def mean_over_seeds(
    table: pd.DataFrame, keys: Sequence[str], same: Sequence[str], values: Sequence[str]
) -> pd.DataFrame:
    """Summarise rows that differ in their seed only.

    Args:
        table: with a column ``seed``.
        keys: what names a row beside the seed.
        same: columns that all seeds must agree in, such as the number of faces.
        values: columns to average.

    Returns:
        One row per key in order of appearance: ``keys``, ``same``, ``seeds`` (how many), the mean of each value and,
        as ``<value>_std``, its sample standard deviation over seeds, NaN for one seed.

    Raises:
        DataError: if seeds do not agree in a column of ``same``.
    """
    groups = table.groupby(list(keys), sort=False)
    counts = groups[list(same)].nunique()
    if (counts > 1).any(axis=None):
        key = counts.index[(counts > 1).any(axis=1)][0]
        where = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
        columns = [name for name in same if counts.loc[key, name] > 1]
        raise DataError(
            f"the seeds of {where} differ in {', '.join(columns)}; their mean would be of different tests: measure "
            "them all on the same faces"
        )
    summary = groups[list(same)].first().join(groups["seed"].nunique().rename("seeds"))
    summary = summary.join(groups[list(values)].mean()).join(groups[list(values)].std(ddof=1).add_suffix("_std"))
    return summary.reset_index()
