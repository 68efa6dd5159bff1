"""From a publisher's codes to the names of the label contract."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from openfer.errors import DataError


def named(codes: pd.Series, names: Mapping[Any, str | None], where: str) -> pd.Series:
    """Return the names of codes.

    Args:
        codes: the publisher's codes or words; null stays null.
        names: their meaning, a map of :mod:`openfer.labels`; None means that the publisher gives no label.
        where: the file, for the message.

    Returns:
        Names or nulls, object, with the index of ``codes``.

    Raises:
        DataError: if a code has no meaning; the message gives the value, its first place and the known ones.
    """
    known = codes.isna() | codes.isin(list(names))
    if not known.all():
        place = int((~known).to_numpy().argmax())
        raise DataError(
            f"{where} holds the label {codes.iloc[place]} (entry {place + 1}; {int((~known).sum())} entries have "
            f"unknown labels); the labels are {', '.join(f'{code} = {name}' for code, name in names.items())}"
        )
    return codes.map(dict(names)).astype(object).where(codes.notna(), None)


def integers(values: pd.Series, where: str) -> pd.Series:
    """Return text as integers; null stays null.

    Raises:
        DataError: if a value is no integer; the message names it and its place.
    """
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values.notna() & (numbers.isna() | (numbers % 1 != 0))
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise DataError(f"{where} holds {values.iloc[place]!r} (entry {place + 1}) where an integer is expected")
    return numbers.astype("Int64")
