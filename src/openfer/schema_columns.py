"""Columns and checks that schemas of tables are made of."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

_AT_ONCE = 1 << 14
"""Rows whose words are Python's strings at once."""


def name(values: tuple[str, ...] | None = None, *, nullable: bool = False) -> pa.Column:
    """Return a column of words, of the given ones if any."""
    check = pa.Check.isin(values) if values else None
    return pa.Column(str, check, nullable=nullable, coerce=True)


def number(low: float, high: float, *, nullable: bool = False) -> pa.Column:
    """Return a column of numbers in [low, high]."""
    return pa.Column(float, pa.Check.in_range(low, high), nullable=nullable, coerce=True)


def list_of(check: Callable[[Any], bool], what: str) -> pa.Column:
    """Return a column of short lists or nulls; only the lists are looked at."""

    def all_fit(column: pd.Series) -> bool:
        return all(check(value) for value in column[column.notna()])

    return pa.Column(object, pa.Check(all_fit, error=f"is not {what}"), nullable=True)


def numbers(*lengths: int, low: float = -np.inf, high: float = np.inf) -> Callable[[Any], bool]:
    """Return a check of a list: as many finite numbers as one of the lengths, all in [low, high]."""

    def fits(value: Any) -> bool:
        array = np.asarray(value, dtype=float)
        return array.size in lengths and bool(
            np.isfinite(array).all() and (array >= low).all() and (array <= high).all()
        )

    return fits


def no_two_alike(*names: str) -> pa.Check:
    """Return a check that no two rows agree in these columns.

    A number for each row takes less memory than pandas' comparison; rows whose numbers agree are compared themselves.
    """

    def holds(table: pd.DataFrame) -> bool:
        starts = range(0, len(table), _AT_ONCE)
        parts = (table[list(names)].iloc[start : start + _AT_ONCE] for start in starts)
        hashes = [pd.util.hash_pandas_object(part, index=False, categorize=False).to_numpy() for part in parts]
        number = np.concatenate([np.zeros(0, np.uint64), *hashes])
        ordered = np.sort(number)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        return not (len(twice) and table[np.isin(number, twice)].duplicated(list(names)).any())

    return pa.Check(holds, error=f"no two rows have the same {' and '.join(names)}")
