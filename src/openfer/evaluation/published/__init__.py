"""Every number that the five papers print, as data with the table that it stands in."""

import functools
from importlib import resources

import pandas as pd

from openfer.errors import ParameterError

COLUMNS = ("paper", "table", "method", "variant", "dataset", "metric", "value", "unit", "note")
"""Of the file. ``value`` is as printed, ``note`` says where a paper contradicts itself; the empty word is nothing."""

_FILE = "published.csv"
_MULTIPLES = {"K": 1e3, "M": 1e6, "G": 1e9}


def published_table() -> pd.DataFrame:
    """Return all published figures, one a row.

    Returns:
        :data:`COLUMNS`, all words, and ``number``, the printed value as one: 11.2M is 11,200,000, of 97.53±2.03 it is
        the mean.
    """
    return _read().copy()


@functools.cache
def _read() -> pd.DataFrame:
    with resources.files(__name__).joinpath(_FILE).open() as file:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return table.assign(number=table["value"].map(_number))


def _number(printed: str) -> float:
    mean = printed.partition("±")[0]
    multiple = _MULTIPLES.get(mean[-1], 1.0)
    return float(mean.rstrip("".join(_MULTIPLES))) * multiple


def published_number(paper: str, table: str, method: str, variant: str, dataset: str, metric: str) -> float:
    """Return one published figure, in the table's own unit.

    Raises:
        ParameterError: if there is none, or several.
    """
    found = find_published(paper, table, method, variant, dataset, metric)
    if len(found) != 1:
        all_figures = _read()
        asked = (paper, table, method, variant, dataset, metric)
        of_table = all_figures[(all_figures["paper"] == paper) & (all_figures["table"] == table)]
        names = of_table[["method", "variant", "dataset", "metric"]].drop_duplicates().agg(" | ".join, axis=1)
        raise ParameterError(
            f"{len(found)} published figures are {' | '.join(asked)}; {table} of {paper} has {len(names)} "
            f"(method | variant | dataset | metric), such as: {'; '.join(names[:8])}"
        )
    return float(found.iloc[0])


def find_published(paper: str, table: str, method: str, variant: str, dataset: str, *metrics: str) -> pd.Series:
    """Return the published figures of any of these metrics, as numbers in the table's own unit."""
    figures = _read()
    asked = pd.Series({"paper": paper, "table": table, "method": method, "variant": variant, "dataset": dataset})
    found = (figures[list(asked.index)] == asked).all(axis=1) & figures["metric"].isin(metrics)
    return figures.loc[found, "number"]
