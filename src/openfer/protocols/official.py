"""The publisher's own partitions, with a validation set carved from the training part."""

import logging

import numpy as np
import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.schemas import SPLIT
from openfer.seeds import generator_for

_log = logging.getLogger(__name__)
_PARTITIONS = ("train", "val", "test")


def official_split(rows: pd.DataFrame, validation_share: float, seed: int, task: str = "expression") -> pd.DataFrame:
    """Give every labelled row the role of its partition, and make a validation set if there is none.

    Where the publisher has a ``val`` partition it is used as it is and the share has no effect.
    Otherwise validation is carved from ``train`` and from nothing else: whole subjects where the
    subject is known, single images where it is not. It comes close to the share in every class; with
    few subjects, only as close as whole subjects allow.

    Args:
        rows: the columns ``sample_id, dataset, subject, partition`` and the task's labels. Rows without
            the label get no role; :func:`openfer.protocols.counts.split_counts` counts them.
        validation_share: of the training images, in (0, 1).
        seed: the root seed; the split does not depend on the order of the rows.
        task: the column whose null rows are left out and whose classes are balanced.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, in the order of the rows, fold 0.

    Raises:
        ParameterError: if the share is not in (0, 1).
        DataError: if there are no rows, no labelled train or test rows, a partition with another name, one
            class only, or if the share leaves one side without a subject.
    """
    if not 0 < validation_share < 1:
        raise ParameterError(f"validation_share is {validation_share}; give a number between 0 and 1, such as 0.15")
    labelled = _labelled(rows, task)
    role = labelled["partition"].astype(object).copy()
    if not (role == "val").any():
        train = labelled[role == "train"]
        role[train.index[_carve(train, task, validation_share, seed)]] = "val"
    split = pd.DataFrame({"sample_id": labelled["sample_id"], "fold": 0, "role": role})
    return SPLIT.validate(split.reset_index(drop=True))


def _labelled(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    if rows.empty:
        raise DataError("there are no rows to split; run the dataset's own pipeline first and look at its quarantine")
    unknown = sorted(set(rows["partition"].astype(object).dropna()) - set(_PARTITIONS))
    if unknown or rows["partition"].isna().any():
        raise DataError(
            f"partition has the values {unknown or ['null']}; the publisher's partitions are named "
            f"{', '.join(_PARTITIONS)}: correct the dataset's reader"
        )
    labelled = rows[rows[task].notna()].reset_index(drop=True)
    if len(labelled) < len(rows):
        _log.warning("%d of %d rows carry no %s and get no role", len(rows) - len(labelled), len(rows), task)
    for partition in ("train", "test"):
        if not (labelled["partition"] == partition).any():
            raise DataError(
                f"none of the {len(labelled)} rows with a {task} is in the publisher's {partition} partition; an "
                "official split needs train and test: check the reader, or use another protocol"
            )
    names = labelled.loc[labelled["partition"] == "train", task].unique()
    if len(names) < 2:
        raise DataError(
            f"all training rows have the same {task} ({names[0]}): there is nothing to learn; check the labels of the "
            "dataset, or use another task"
        )
    return labelled


def _carve(train: pd.DataFrame, task: str, share: float, seed: int) -> np.ndarray:
    """Return the positions of the validation rows in ``train``.

    A group is a subject, or an image whose subject is unknown.
    """
    ordered = np.argsort(train["sample_id"].to_numpy(dtype=str), kind="stable")
    group = _groups(train)[ordered]
    codes, _ = pd.factorize(train[task].to_numpy(dtype=object)[ordered], sort=True)
    group, _ = pd.factorize(group)
    counts = np.zeros((group.max() + 1, codes.max() + 1))
    np.add.at(counts, (group, codes), 1)
    taken = _nearest(counts, share * counts.sum(axis=0), generator_for(seed, "official_split", task))
    if not taken.any() or taken.all():
        side = "validation" if not taken.any() else "training"
        raise DataError(
            f"validation_share {share} leaves no subject for {side}: the {len(train)} training rows have "
            f"{len(counts)} subjects of {counts.sum(axis=1).min():.0f} to {counts.sum(axis=1).max():.0f} images; "
            "change the share, or use data with more subjects"
        )
    return ordered[taken[group]]


def _nearest(counts: np.ndarray, goal: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Choose groups whose class counts are near a goal in the chi-square sense.

    Groups come in random order and join, or leave again, when that brings the counts nearer, until no
    single one does. The chi-square weighs rare classes up, which absolute counts would neglect.

    Args:
        counts: images by group and class, (G, K).
        goal: images wanted by class, (K,), positive.
        generator: of the order.

    Returns:
        bool, (G,): who is chosen.
    """
    taken = np.zeros(len(counts), bool)
    reached = np.zeros(len(goal))
    distance = float(goal.sum())
    improved = True
    while improved:
        improved = False
        for group in generator.permutation(len(counts)):
            changed = reached - counts[group] if taken[group] else reached + counts[group]
            new = float(((changed - goal) ** 2 / goal).sum())
            # the margin keeps rounding from undoing and redoing one change for ever
            if new < distance - 1e-9:
                taken[group] = not taken[group]
                reached, distance, improved = changed, new, True
    return taken


def _groups(train: pd.DataFrame) -> np.ndarray:
    """Return what must stay together: (dataset, subject), or the image itself where the subject is unknown."""
    subject = train["dataset"].astype(object) + "/" + train["subject"].astype(object)
    return subject.where(subject.notna(), "\0" + train["sample_id"].astype(object)).to_numpy(dtype=object)
