"""Rows under their schema: what does not fit is named with its dataset, column, value and count."""

import numpy as np
import pandas as pd
import pandera.errors

from openfer.errors import DataError
from openfer.schemas import ROWS, complete_rows


def checked_rows(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return complete rows that are valid under :data:`openfer.schemas.ROWS`.

    Args:
        table: the rows that a reader found, with ``path`` and without the columns that it has no values for.
        where: dataset and root, for the message.

    Raises:
        DataError: if a value does not fit its column; the message names column, value, place, count and remedy.
    """
    try:
        return complete_rows(table)
    except (pandera.errors.SchemaError, pandera.errors.SchemaErrors) as error:
        first = error.schema_errors[0] if isinstance(error, pandera.errors.SchemaErrors) else error
        raise DataError(_words(table, where, first)) from error


def _words(table: pd.DataFrame, where: str, error: pandera.errors.SchemaError) -> str:
    column = str(error.column_name or error.schema.name)
    wrong = _wrong(table, column, error)
    if not wrong.any():  # a whole column, such as one that no row may have
        return f"{where} has a column {column} that does not fit: {error}; correct the reader or its options"
    place = int(wrong.argmax())
    return (
        f"{where} holds {_shown(table[column].iloc[place])} in {column}, of {table['path'].iloc[place]} "
        f"({int(wrong.sum())} of {len(table)} rows do not fit): {_rule(column, error)}; correct the list or the "
        "options that this value comes from"
    )


def _wrong(table: pd.DataFrame, column: str, error: pandera.errors.SchemaError) -> np.ndarray:
    """Return which rows do not fit."""
    if column not in table:
        return np.zeros(len(table), bool)
    values = table[column]
    if error.reason_code is pandera.errors.SchemaErrorReason.DATATYPE_COERCION:
        numbers = pd.to_numeric(values, errors="coerce")
        wrong: pd.Series = values.notna() & (numbers.isna() | ((numbers % 1 != 0) & (column == "frame")))
        return wrong.to_numpy(bool)
    if isinstance(error.failure_cases, pd.DataFrame):
        return np.isin(np.arange(len(table)), error.failure_cases["index"].dropna().astype(int))
    check = ROWS.columns[column].checks[0]  # of a column of lists: one answer for all of them
    given = values[values.notna()]
    bad = [place for place, value in given.items() if not check(pd.Series([value], dtype=object)).check_passed]
    return values.index.isin(bad)


def _rule(column: str, error: pandera.errors.SchemaError) -> str:
    if error.reason_code is pandera.errors.SchemaErrorReason.DATATYPE_COERCION:
        return "a frame is a whole number" if column == "frame" else f"{column} is a number"
    if error.reason_code is pandera.errors.SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return f"{column} may not be empty"
    return f"the rule is {getattr(error.check, 'error', None) or error.check}"


def _shown(value: object) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else f"{text[:60]} ..."
