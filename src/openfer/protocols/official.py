"""The publisher's own partitions, with a validation set carved from the training part."""

import logging
from collections.abc import Mapping

import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.protocols.carving import carve, subject_groups
from openfer.schemas import SPLIT
from openfer.seeds import generator_for

_log = logging.getLogger(__name__)
_PARTITIONS = ("train", "val", "test")


def official_split(
    rows: pd.DataFrame,
    validation_share: float,
    seed: int,
    task: str = "expression",
    sha256: Mapping[str, str] | pd.Series | None = None,
) -> pd.DataFrame:
    """Give every labelled row the role of its partition, and make a validation set if there is none.

    Where the publisher has a ``val`` partition it is used as it is and the share has no effect.
    Otherwise validation is carved from ``train`` and from nothing else: whole subjects where the
    subject is known, single images with their copies where it is not. It comes close to the share in every class; with
    few subjects, only as close as whole subjects allow.

    Args:
        rows: the columns ``sample_id, dataset, subject, partition`` and the task's labels. Rows without
            the label get no role; :func:`openfer.protocols.counts.split_counts` counts them.
        validation_share: of the training images, in [0, 1).
        seed: the root seed; the split does not depend on the order of the rows.
        task: the column whose null rows are left out and whose classes are balanced.
        sha256: the hash of each face by ``sample_id``; without it no copies are known.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, in the order of the rows, fold 0.

    Raises:
        ParameterError: if the share is not in [0, 1).
        DataError: if there are no rows, no labelled train or test rows, a partition with another name, one
            class only, or if the share leaves one side without a subject.
    """
    if not 0 <= validation_share < 1:
        raise ParameterError(f"validation_share is {validation_share}; give a number from 0 to below 1, such as 0.15")
    labelled = labelled_rows(rows, task)
    role = pd.Series(pd.Categorical(labelled["partition"], _PARTITIONS))  # a byte each
    if not (role == "val").any():
        role[_validation(labelled[role == "train"], validation_share, seed, task, sha256)] = "val"
    split = pd.DataFrame({"sample_id": labelled["sample_id"], "fold": 0, "role": role})
    return SPLIT.validate(split.reset_index(drop=True))


def _validation(
    train: pd.DataFrame, share: float, seed: int, task: str, sha256: Mapping[str, str] | pd.Series | None
) -> pd.Index:
    """Return the index of those training rows that are to validate."""
    generator = generator_for(seed, "official_split", task)
    return train.index[carve(train, subject_groups(train, sha256), task, share, generator)]


def only_testing(rows: pd.DataFrame, task: str = "expression") -> pd.DataFrame:
    """Let every labelled row test, as in a set that is too small or too special to train on (FED-RO).

    Args:
        rows: the columns ``sample_id`` and the task's labels; rows without the label get no role.
        task: the column whose null rows are left out.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, in the order of the rows, fold 0.

    Raises:
        DataError: if no row has a label.
    """
    labelled = rows[rows[task].notna()]
    if labelled.empty:
        raise DataError(
            f"none of the {len(rows)} rows has a label of {task}: there is nothing to test; check the reader"
        )
    split = pd.DataFrame({"sample_id": labelled["sample_id"], "fold": 0, "role": "test"})
    return SPLIT.validate(split.reset_index(drop=True))


def _without(partition: str, found: set[str]) -> str:
    if partition == "test" and "val" in found:
        return "set `protocol: {tested: val}` to test on the validation images; validation is then carved from train"
    if partition == "train":
        return "set `protocol: {kind: test_only}` to test models on these images, or give some of them to train"
    return "set `protocol: {kind: subject_folds}`, or {kind: image_folds} where subjects are unknown"


def labelled_rows(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """Return the rows that an official split gives a role.

    Raises:
        DataError: if the partitions do not allow an official split; the message says what to set in its place.
    """
    if rows.empty:
        raise DataError("there are no rows to split; run the dataset's own pipeline first and look at its quarantine")
    without = int(rows["partition"].isna().sum())
    if without:
        raise DataError(
            f"{without} of {len(rows)} rows have no partition: their publisher gives none, or the reader lost it. "
            "Choose `protocol: {kind: test_only}` to test models on them; to train on them `{kind: subject_folds}`, or "
            "`{kind: image_folds}` where subjects are unknown"
        )
    unknown = sorted(set(rows["partition"].astype(object)) - set(_PARTITIONS))
    if unknown:
        raise DataError(
            f"partition has the values {unknown}; the publisher's partitions are named "
            f"{', '.join(_PARTITIONS)}: correct the dataset's reader"
        )
    labelled = rows.dropna(subset=[task]).reset_index(drop=True)  # which copies nothing where all are labelled
    if len(labelled) < len(rows):
        _log.warning("%d of %d rows carry no %s and get no role", len(rows) - len(labelled), len(rows), task)
    for partition in ("train", "test"):
        if not (labelled["partition"] == partition).any():
            raise DataError(
                f"none of the {len(labelled)} rows with a label of {task} is in the partition {partition}; "
                f"{_without(partition, set(labelled['partition'].astype(object)))}"
            )
    names = labelled.loc[labelled["partition"] == "train", task].unique()
    if len(names) < 2:
        raise DataError(
            f"all training rows have the same {task} ({names[0]}): there is nothing to learn; check the labels of the "
            "dataset, or use another task"
        )
    return labelled
