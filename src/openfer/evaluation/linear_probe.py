"""The classifier behind a probe: logistic regression, its penalty chosen within what trains it."""

from collections.abc import Iterator, Sequence

import numpy as np

from openfer.seeds import seed_for

CLASSES = 2
"""At least; a classifier tells two apart."""

_FOLDS = 5
_INNER_FOLDS = 3
_INVERSE_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Inverse strengths of the L2 penalty, the simplest probe first."""

_FLOOR = 0.1
"""Share of the mean variance below which a direction counts as noise, and is not scaled up to the others' spread."""

_STEPS, _TOLERANCE = 200, 1e-3


def answers(
    features: np.ndarray, target: np.ndarray, person: np.ndarray, held_out: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each face by a probe that has not seen it.

    Args:
        features: float64, (N, D).
        target: class indices from 0, int64, (N,).
        person: indices of people, int64, (N,).
        held_out: ``people`` or ``images``, what a probe's training has not seen of those that it is asked about.

    Returns:
        The likeliest class, (N,); the likeliest if all classes were equally frequent, (N,).
    """
    by_frequency, by_recall = np.empty_like(target), np.empty_like(target)
    for train, test in _deal(target, person, held_out, _FOLDS):
        strength = _strength(features[train], target[train], person[train], held_out)
        ((_, log_shares, known),) = _fitted(features[train], target[train], features[test], (strength,))
        frequency = np.log(np.bincount(target[train])[known])
        by_frequency[test] = known[log_shares.argmax(1)]
        by_recall[test] = known[(log_shares - frequency).argmax(1)]
    return by_frequency, by_recall


def _strength(features: np.ndarray, target: np.ndarray, person: np.ndarray, held_out: str) -> float:
    """Return the inverse penalty that makes left-out faces likeliest; with nobody to leave out, the simplest probe."""
    if held_out == "people" and len(np.unique(person)) < CLASSES:
        return _INVERSE_PENALTIES[0]
    likelihood = dict.fromkeys(_INVERSE_PENALTIES, 0.0)
    for train, test in _deal(target, person, held_out, _INNER_FOLDS):
        for strength, log_shares, known in _fitted(features[train], target[train], features[test], _INVERSE_PENALTIES):
            place = np.searchsorted(known, target[test]).clip(max=len(known) - 1)
            seen = known[place] == target[test]  # a class that was not learned is as unlikely under any penalty
            likelihood[strength] += float(log_shares[seen, place[seen]].sum())
    return max(likelihood, key=likelihood.__getitem__)


def _fitted(
    features: np.ndarray, target: np.ndarray, tested: np.ndarray, strengths: Sequence[float]
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Yield for each inverse penalty the logarithms of class probabilities of tested faces, and the classes."""
    from sklearn.linear_model import LogisticRegression

    known = np.unique(target)
    if len(known) < CLASSES:  # people who train may all be of one kind, where there are few
        yield from ((strength, np.zeros((len(tested), 1)), known) for strength in strengths)
        return
    trained, asked = _whitened(features, tested)
    model = LogisticRegression(max_iter=_STEPS, tol=_TOLERANCE, warm_start=True)
    for strength in strengths:
        model.set_params(C=strength).fit(trained, target)
        yield strength, model.predict_log_proba(asked), known


def _whitened(features: np.ndarray, tested: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise features and give their principal directions like spread, by the training faces alone."""
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler().fit(features)
    trained, asked = scale.transform(features), scale.transform(tested)
    _, deviations, directions = np.linalg.svd(trained, full_matrices=False)
    spread = deviations**2 / len(trained)
    turn = directions.T / np.sqrt(spread + _FLOOR * max(spread.mean(), np.finfo(float).tiny))
    return trained @ turn, asked @ turn


def _deal(target: np.ndarray, person: np.ndarray, held_out: str, folds: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield who trains and who tests, in turn, with like shares of the classes."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    state = seed_for(0, "probe", held_out) % 2**32
    if held_out == "people":
        deal = StratifiedGroupKFold(min(folds, len(np.unique(person))), shuffle=True, random_state=state)
        yield from deal.split(target, target, person)
    else:
        least = int(np.bincount(target)[np.unique(target)].min())
        deal = StratifiedKFold(max(min(folds, least), 2), shuffle=True, random_state=state)
        yield from deal.split(target, target)
