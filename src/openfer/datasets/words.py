"""What people write into their own tables and folders: words for labels and sides, ages, numbers."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from openfer.errors import DataError, did_you_mean
from openfer.io.names import same_text
from openfer.labels import AGES

_NO_NUMBER = ("na", "nan", "n/a", "none", "null")
SIDES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "publictest"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "privatetest"), "test"),
}
"""Words for the sides of a split, in lower case; ``PublicTest`` and ``PrivateTest`` are FER2013's."""

_WORDS = re.compile(r"[^a-z]+")


def side_of(word: str, own: Mapping[str, str | None]) -> str | None:
    """Return the side of a split that a word names, alone or as the first or last part of one: ``train_class``.

    Args:
        word: a folder or a cell.
        own: a person's words, which go before the usual ones; None means no side.
    """
    plain = _plain(word)
    mine = {_plain(name): side for name, side in own.items()}
    if plain in mine:
        return mine[plain]
    parts = [part for part in _WORDS.split(plain) if part]
    return next((SIDES[part] for part in (plain, *parts[:1], *parts[-1:]) if part in SIDES), None)


def side_and_class(folders: Sequence[str], own: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """Return the side and the class that an image's folders name.

    The class is the folder below the side, or the folder above one that is the last; without a side it is the
    first folder.

    Args:
        folders: from the root to the image.
        own: a person's words for sides.
    """
    for place, folder in enumerate(folders):
        side = side_of(folder, own)
        if side is not None:
            below = folders[place + 1 : place + 2]
            named = below or folders[max(0, place - 1) : place]
            return side, named[0] if named else None
    return None, folders[0] if folders else None


def renamed(values: pd.Series, words: Mapping[str, str | None], where: str, what: str, remedy: str) -> pd.Series:
    """Return canonical names; case, outer blanks and the writing of accents do not count, and 1.0 is 1.

    Args:
        values: words or numbers; null stays null.
        words: their meaning; None means no label.
        where: the file, for the message.
        what: they name, for the message.
        remedy: how a person adds a word.

    Raises:
        DataError: if a word is unknown; the message names it, its place and the nearest known one.
    """
    lower = {_plain(word): name for word, name in words.items()}
    plain = {value: _known(_plain(value), lower) for value in values.dropna().unique()}
    unknown = values[values.isin([value for value, word in plain.items() if word not in lower])]
    if len(unknown):
        names = dict.fromkeys(name for name in words.values() if name is not None)
        listed = ", ".join(repr(str(word))[1:-1] for word in unknown.unique()[:8])
        raise DataError(
            f"{unknown.iloc[0]!r} is not a known {what} (entry {int(unknown.index[0]) + 1} of {where}; {len(unknown)} "
            f"entries have unknown words: {listed}); {did_you_mean(str(unknown.iloc[0]), words, 'the names are')} "
            f"{', '.join(names)}: {remedy}"
        )
    named = values.map({value: lower[word] for value, word in plain.items()}).astype(object)
    return named.where(named.notna(), None)


def _plain(word: object) -> str:
    return same_text(str(word)).strip().lower()


def _known(word: str, words: Mapping[str, str | None]) -> str:
    """Return a word as it is known; a whole number that a program has written as 1.0 is 1."""
    whole = word.removesuffix(".0")
    return whole if word not in words and whole in words and whole.isdecimal() else word


def age_groups(ages: pd.Series) -> pd.Series:
    """Return the groups of ages in years; words are left as they are."""
    years = pd.to_numeric(ages, errors="coerce")
    starts = [float(group.removesuffix("+").split("-")[0]) for group in AGES]
    groups = pd.cut(years, [*starts, np.inf], right=False, labels=list(AGES)).astype(object)
    return groups.where(groups.notna(), ages)


def numbers(table: pd.DataFrame, where: str) -> np.ndarray:
    """Return columns as numbers; an empty cell and words such as NA are no number.

    Raises:
        DataError: if a cell holds another word; the message names column and entry.
    """
    table = table.map(lambda value: None if str(value).lower() in _NO_NUMBER else value)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    wrong = (table.notna() & numbers.isna()).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where} holds {table.iloc[row, column]!r} in {table.columns[column]} (entry {row + 1}), "
            "where a number is expected"
        )
    return numbers.to_numpy(float)
