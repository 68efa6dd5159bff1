"""Whole groups of images, such as a subject's, chosen so that the classes stay balanced."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.protocols.contents import alphabetical, content_numbers, people_numbers

_MARGIN = 1e-9
"""A smaller gain is rounding, which could undo and redo one change for ever."""


def subject_groups(rows: pd.DataFrame, sha256: Mapping[str, str] | pd.Series | None = None) -> np.ndarray:
    """Return what must stay together: (dataset, subject), or equal images where the subject is unknown.

    Args:
        rows: the columns ``sample_id, dataset, subject``.
        sha256: the hash of each face by ``sample_id``; images without one are taken to have no copy.
    """
    people = people_numbers(rows)
    group = np.arange(len(rows)) + len(rows)
    if sha256 is not None:
        content = content_numbers(rows["sample_id"], sha256)
        group = np.where(content >= 0, content + 2 * len(rows), group)
    return np.where(people >= 0, people, group)


def carve(
    train: pd.DataFrame, group: np.ndarray, task: str, share: float, generator: np.random.Generator
) -> np.ndarray:
    """Choose validation rows among training rows, whole groups, near the share in every class.

    Args:
        train: the columns ``sample_id`` and the task; the choice does not depend on the order of the rows.
        group: what stays together, (len(train),).
        task: the column whose classes are balanced.
        share: of the training images, in [0, 1); 0 chooses none.
        generator: of the order in which groups are tried.

    Returns:
        Positions of the validation rows in ``train``.

    Raises:
        DataError: if the share leaves one side without a group.
    """
    if share == 0:
        return np.empty(0, np.int64)
    ordered, code, counts = _counted(train, group, task)
    taken = _nearest(counts, share * counts.sum(axis=0), generator)
    if not taken.any() or taken.all():
        side, remedy = ("training", "lower it") if taken.all() else ("validation", "raise it")
        images = counts.sum(axis=1)
        raise DataError(
            f"validation_share {share} leaves no subject for {side}: the {len(train)} training rows have {len(counts)} "
            f"subjects (images, where subjects are unknown) of {images.min():.0f} to {images.max():.0f} images; "
            f"{remedy} as protocol.validation_share of the dataset, or use data with more subjects"
        )
    return ordered[taken[code]]


def deal(rows: pd.DataFrame, group: np.ndarray, task: str, folds: int, generator: np.random.Generator) -> np.ndarray:
    """Deal whole groups into folds that are alike in size and classes.

    The largest groups go first, each where its classes are rarest; then groups move while that brings the
    folds nearer to equal in the chi-square sense.

    Args:
        rows: the columns ``sample_id`` and the task; the result does not depend on their order.
        group: what stays together, (len(rows),).
        task: the column whose classes are balanced.
        folds: how many.
        generator: of the order among groups of one size.

    Returns:
        The fold of each row, int64.

    Raises:
        DataError: if there are fewer groups than folds.
    """
    ordered, code, counts = _counted(rows, group, task)
    if len(counts) < folds:
        raise DataError(
            f"{len(counts)} subjects (or images, where subjects are unknown) cannot fill {folds} folds; "
            "lower protocol.folds, or use data with more subjects"
        )
    rarity = 1 / counts.sum(axis=0)
    shuffled = generator.permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled].sum(axis=1), kind="stable")]
    place = np.full(len(counts), -1)
    reached = np.zeros((folds, counts.shape[1]))
    moved = True
    while moved:
        moved = False
        for member in order:
            weight, old = counts[member] * rarity, place[member]
            if old >= 0:
                reached[old] -= counts[member]
            # the part of the chi-square that depends on where the group goes
            cost = reached @ weight
            new = int(cost.argmin())
            if old < 0 or cost[new] < cost[old] - _MARGIN:
                place[member], moved = new, True
            reached[place[member]] += counts[member]
    fold = np.empty(len(rows), np.int64)
    fold[ordered] = place[code]
    return fold


def _counted(rows: pd.DataFrame, group: np.ndarray, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows' canonical order, the group's number of each row in it, and images by group and class."""
    ordered = alphabetical(rows["sample_id"])
    code, _ = pd.factorize(group[ordered])
    label, names = pd.factorize(rows[task])
    label = np.argsort(sorted(range(len(names)), key=list(names).__getitem__))[label][ordered]
    most = np.bincount(code).max()  # where groups are single images, a byte for each class is enough
    counts = np.zeros((code.max() + 1, label.max() + 1), np.min_scalar_type(-most - 1))
    np.add.at(counts, (code, label), 1)
    return ordered, code, counts


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
            if new < distance - _MARGIN:
                taken[group] = not taken[group]
                reached, distance, improved = changed, new, True
    return taken
