"""Tests under a difficulty: occlusion, a turned head; trained and selected as always."""

import logging
from collections.abc import Iterable, Mapping

import pandas as pd

from openfer.errors import DataError
from openfer.protocols.official import official_split
from openfer.schemas import SPLIT

_log = logging.getLogger(__name__)


def challenge_split(
    rows: pd.DataFrame,
    subset: str,
    validation_share: float,
    seed: int,
    task: str = "expression",
    sha256: Mapping[str, str] | pd.Series | None = None,
) -> pd.DataFrame:
    """Return the official split with the test role kept by the images of one list only.

    Train and validation are exactly those of :func:`openfer.protocols.official.official_split`, so the model
    trained for one list is, bit by bit, the one trained for the others and for the whole test set.

    Args:
        rows: the columns ``sample_id, dataset, subject, partition, subsets`` and the task's labels.
        subset: the list, such as ``occlusion``, ``pose30`` or ``pose45``.
        validation_share: of the training images, in (0, 1).
        seed: the root seed.
        task: the column whose null rows are left out and whose classes are balanced.
        sha256: the hash of each face by ``sample_id``; without it no copies are known.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, in the order of the rows, fold 0.

    Raises:
        ParameterError: if the share is not in [0, 1).
        DataError: if no labelled test image is on the list, or an official split is impossible.
    """
    split = official_split(rows, validation_share, seed, task, sha256)
    listed = {name: _names(lists) for name, lists in zip(rows["sample_id"], rows["subsets"], strict=True)}
    on_list = split["sample_id"].map(lambda name: subset in listed[name])
    tested = split["role"] == "test"
    refuse_unlisted(rows[rows["sample_id"].isin(split.loc[tested, "sample_id"])], rows, subset)
    elsewhere = sum(subset in names for names in listed.values()) - int((on_list & tested).sum())
    if elsewhere:
        _log.warning("%d images on the list %s are not labelled test images and do not test", elsewhere, subset)
    return SPLIT.validate(split[on_list | ~tested].reset_index(drop=True))


def refuse_unlisted(tested: pd.DataFrame, rows: pd.DataFrame, subset: str) -> None:
    """Refuse rows of which no labelled test image is on a list.

    Args:
        tested: the labelled test rows, with the column ``subsets``.
        rows: all rows, for the message.
        subset: the list.

    Raises:
        DataError: it says on which lists the rows are.
    """
    if any(subset in _names(lists) for lists in tested["subsets"]):
        return
    counts = pd.Series([name for lists in rows["subsets"] for name in _names(lists)], dtype=object).value_counts()
    known = ", ".join(f"{name} ({count} rows)" for name, count in counts.sort_index().items()) or "none at all"
    raise DataError(
        f"no labelled test image is on the list {subset!r}; the rows are on {known}: correct protocol.subset, or give "
        "the reader its challenge lists"
    )


def _names(lists: Iterable[str] | None) -> frozenset[str]:
    # a table that was never on disk may mark "on no list" by a float NaN
    return frozenset() if lists is None or isinstance(lists, float) else frozenset(lists)
