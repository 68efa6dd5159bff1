"""One call that makes a dataset's split by its protocol."""

from collections.abc import Mapping

import pandas as pd

from openfer.errors import DataError
from openfer.protocols.challenge import challenge_split, refuse_unlisted
from openfer.protocols.config import DatasetProtocol
from openfer.protocols.fold_lists import fold_list
from openfer.protocols.folds import image_folds, subject_folds
from openfer.protocols.holdout import image_holdout
from openfer.protocols.official import labelled_rows, official_split, only_testing
from openfer.protocols.stability import stability_split


def columns_of(protocol: DatasetProtocol) -> list[str]:
    """Return the columns of rows that :func:`make_split` looks at."""
    labels = ["attributes", "gender"] if protocol.task == "attributes" else [protocol.task]
    people = ["subject", "identity"] if protocol.kind == "holdout" else ["subject"]
    lists = [] if protocol.subset is None else ["subsets"]
    recordings = ["sequence", "frame"] if protocol.kind == "stability" else []
    return ["sample_id", "dataset", "partition", *people, *labels, *lists, *recordings]


def make_split(rows: pd.DataFrame, sha256: Mapping[str, str] | pd.Series, protocol: DatasetProtocol) -> pd.DataFrame:
    """Return who trains, who selects and who tests.

    Args:
        rows: valid under :data:`openfer.schemas.ROWS`, of one dataset.
        sha256: the hash of each face by ``sample_id``: equal images stay together where subjects are unknown.
        protocol: how to split.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`.

    Raises:
        DataError: if the rows do not allow this protocol; the message names one that they do.
        ParameterError: if a parameter is out of range.
    """
    share, seed, task = protocol.validation_share, protocol.seed, protocol.task
    if task in _STRATA:
        rows = rows.assign(**{task: _STRATA[task](rows)})
    if protocol.kind == "holdout":
        return image_holdout(rows, share, seed)
    if protocol.kind == "image_folds":
        return image_folds(rows, protocol.folds, share, seed, sha256, task)
    if protocol.kind == "subject_folds":
        return subject_folds(rows, protocol.folds, share, seed, _lists(rows, protocol), task)
    if protocol.kind == "stability":
        return stability_split(rows, share, seed, task)
    if protocol.kind == "test_only":
        return only_testing(rows, task)
    if protocol.tested == "val":
        rows = _validation_tests(rows)
    if protocol.subset is not None:
        return challenge_split(rows, protocol.subset, share, seed, task, sha256)
    return official_split(rows, share, seed, task, sha256)


def refuse_unfit(rows: pd.DataFrame, protocol: DatasetProtocol) -> None:
    """Refuse rows that allow no official split, or none of the list asked for, before their faces are cut out.

    Args:
        rows: the columns that :func:`columns_of` names.
        protocol: how to split.

    Raises:
        DataError: the message says what to set in the dataset's ``protocol``.
    """
    if protocol.kind == "official" and protocol.task not in _STRATA:
        labelled = labelled_rows(_validation_tests(rows) if protocol.tested == "val" else rows, protocol.task)
        if protocol.subset is not None:
            refuse_unlisted(labelled[labelled["partition"] == "test"], rows, protocol.subset)


def _by_valence(rows: pd.DataFrame) -> pd.Series:
    """Return a quarter of the range of valence in which each row lies, null where it has none."""
    return pd.cut(rows["valence"], [-1, -0.5, 0, 0.5, 1], include_lowest=True).astype(object)


def _by_gender(rows: pd.DataFrame) -> pd.Series:
    """Return the gender, which is one of CelebA's attributes, null where a row has no attributes."""
    return rows["gender"].astype(object).fillna("unknown").where(rows["attributes"].notna(), None)


_STRATA = {"valence": _by_valence, "attributes": _by_gender}
"""What is balanced over the sides for a task that has no classes."""


def _validation_tests(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the publisher's validation as test; its own test images go."""
    public = rows[rows["partition"] != "test"]
    side = public["partition"].astype(object)
    return public.assign(partition=side.where(side != "val", "test")).reset_index(drop=True)


def _lists(rows: pd.DataFrame, protocol: DatasetProtocol) -> dict[str, int] | None:
    if not protocol.lists:
        return None
    names = rows["dataset"].unique()
    if len(names) != 1:
        raise DataError(f"rows of {len(names)} datasets cannot follow one fold list; split each dataset separately")
    return fold_list(str(names[0]) if protocol.lists is True else protocol.lists)
