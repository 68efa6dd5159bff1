"""K-fold cross-validation: over whole subjects, or over images where no subject is known."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.protocols.carving import carve, deal, subject_groups
from openfer.protocols.contents import content_numbers
from openfer.schemas import SPLIT
from openfer.seeds import generator_for

_log = logging.getLogger(__name__)
_NAMED = 5


def subject_folds(
    rows: pd.DataFrame,
    folds: int,
    validation_share: float,
    seed: int,
    lists: Mapping[str, int] | None = None,
    task: str = "expression",
) -> pd.DataFrame:
    """Let every labelled row test in one fold, and no subject have two roles in any fold.

    The publisher's partition is ignored. In each fold one part of the subjects tests, validation is carved from
    the others, whole subjects again, and the rest trains.

    Args:
        rows: the columns ``sample_id, dataset, subject`` and the task's labels; rows without the label get no role.
        folds: how many, from 2.
        validation_share: of the images that do not test, in [0, 1).
        seed: the root seed; the split does not depend on the order of the rows.
        lists: the fold of each subject, as published (:func:`openfer.protocols.fold_lists.fold_list`). Without
            it, subjects are dealt so that the folds are alike in size and classes. The seed has no effect on
            listed test sides; but validation is drawn by it.
        task: the column whose null rows are left out and whose classes are balanced.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, fold by fold in the order of the rows. A listed fold
        none of whose subjects is in the rows is left out, with a warning.

    Raises:
        ParameterError: if the share or the number of folds is out of range or not that of the list.
        DataError: if there are no labelled rows, one class only, a labelled row without a subject, a subject that
            the list lacks, or too few subjects.
    """
    labelled = _labelled(rows, folds, validation_share, task)
    without = int(labelled["subject"].isna().sum())
    if without:
        raise DataError(
            f"{without} of {len(labelled)} labelled rows have no subject; folds over subjects need all of them: "
            "correct the reader, or choose `protocol: {kind: image_folds}`"
        )
    group = subject_groups(labelled)
    if lists is None:
        place = deal(labelled, group, task, folds, generator_for(seed, "subject_folds", task))
    else:
        place = _listed(labelled["subject"], lists, folds)
    return _roles(labelled, place, group, validation_share, seed, task)


def image_folds(
    rows: pd.DataFrame,
    folds: int,
    validation_share: float,
    seed: int,
    sha256: Mapping[str, str] | pd.Series,
    task: str = "expression",
) -> pd.DataFrame:
    """Let every labelled image test in one fold, the classes alike in all; for sets without subjects (RAF-DB).

    The publisher's partition is ignored: the folds go over its training and test images alike. Byte-identical
    images have the same role in every fold. **People may be on both sides**, so use subjects where they are known.

    Args:
        rows: the columns ``sample_id`` and the task's labels; rows without the label get no role.
        folds: how many, from 2.
        validation_share: of the images that do not test, in [0, 1).
        seed: the root seed; the split does not depend on the order of the rows.
        sha256: the hash of each face by ``sample_id``; images without one are taken to have no copy.
        task: the column whose null rows are left out and whose classes are balanced.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, fold by fold in the order of the rows.

    Raises:
        ParameterError: if the share or the number of folds is out of range.
        DataError: if there are no labelled rows, one class only, or fewer images than folds.
    """
    labelled = _labelled(rows, folds, validation_share, task)
    content = content_numbers(labelled["sample_id"], sha256)
    group = np.where(content >= 0, content + len(labelled), np.arange(len(labelled)))
    place = deal(labelled, group, task, folds, generator_for(seed, "image_folds", task))
    return _roles(labelled, place, group, validation_share, seed, task)


def _labelled(rows: pd.DataFrame, folds: int, share: float, task: str) -> pd.DataFrame:
    if not 0 <= share < 1:
        raise ParameterError(f"validation_share is {share}; give a number from 0 to below 1, such as 0.15")
    if folds < 2:
        raise ParameterError(f"protocol.folds is {folds}; cross-validation needs two folds or more, such as 10")
    labelled = rows[rows[task].notna()].reset_index(drop=True)
    if labelled[task].nunique() < 2:
        raise DataError(
            f"the {len(rows)} rows have {labelled[task].nunique()} classes of {task}: there is nothing to learn; check "
            "the reader and the quarantine, or use another task"
        )
    if len(labelled) < len(rows):
        _log.warning("%d of %d rows carry no %s and get no role", len(rows) - len(labelled), len(rows), task)
    return labelled


def _listed(subjects: pd.Series, lists: Mapping[str, int], folds: int) -> np.ndarray:
    """Return the fold of each row from its subject's place on a list."""
    if set(lists.values()) != set(range(folds)):
        raise ParameterError(
            f"protocol.folds is {folds}, the fold list has {len(set(lists.values()))}; give this number, or set "
            "protocol.lists to false to draw folds by the seed"
        )
    lacking = sorted(set(subjects) - set(lists))
    if lacking:
        raise DataError(
            f"the fold list lacks {len(lacking)} subjects of the data: {', '.join(lacking[:_NAMED])}; its names are "
            f"such as {next(iter(lists))}: correct the subjects in the reader, or set protocol.lists to false"
        )
    place = subjects.map(dict(lists)).to_numpy(dtype=np.int64)
    empty = sorted(set(range(folds)) - set(place))
    if empty:
        _log.warning("no subject of folds %s of the list is in the data; these folds are left out", empty)
    return place


def _roles(
    labelled: pd.DataFrame, place: np.ndarray, group: np.ndarray, share: float, seed: int, task: str
) -> pd.DataFrame:
    parts = []
    for fold in np.unique(place):
        role = np.where(place == fold, "test", "train").astype(object)
        train = np.flatnonzero(place != fold)
        generator = generator_for(seed, "fold_validation", task, int(fold))
        role[train[carve(labelled.iloc[train], group[train], task, share, generator)]] = "val"
        parts.append(pd.DataFrame({"sample_id": labelled["sample_id"], "fold": fold, "role": role}))
    return SPLIT.validate(pd.concat(parts, ignore_index=True))
