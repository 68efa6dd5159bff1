"""What a feature knows of a factor: how well a linear classifier reads it from the feature of unseen people.

Linear probes (Alain and Bengio, 2017): a feature that keeps a factor out of reach of every linear classifier is as good
as free of it for the linear layer that follows it. Chance is the least that a probe can show, not zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.bootstrap import draws, percentiles
from openfer.evaluation.linear_probe import CLASSES, answers
from openfer.evaluation.mean_over_seeds import mean_over_seeds
from openfer.labels import FACTORS
from openfer.schemas import PROBES

TARGETS = ("expression", *FACTORS)
"""What features are asked for."""

_DRAWS = 1000
_LEAST = 2
"""People that a class must show, or images where images are held out: one to learn from and one to test."""


@dataclass(frozen=True)
class Probe:
    """The score of one probe; shares are in [0, 1].

    Attributes:
        held_out: what its training has not seen: ``people``, or ``images`` of the same people.
        n: faces, each of which was tested once.
        people: who is on them.
        classes: number of classes.
        accuracy: share of right answers where the probe may go by how frequent classes are.
        chance: share of the largest class, the accuracy of who knows nothing else.
        balanced_accuracy: mean recall of the classes where the probe takes all of them for equally frequent.
        balanced_chance: 1 / classes.
        balanced_low: lower end of its interval, from drawing the people again (bootstrap, 95 %).
        balanced_high: upper end.
    """

    held_out: str
    n: int
    people: int
    classes: int
    accuracy: float
    chance: float
    balanced_accuracy: float
    balanced_chance: float
    balanced_low: float
    balanced_high: float


def probe(features: np.ndarray, labels: pd.Series, people: pd.Series, *, held_out: str = "people") -> Probe:
    """Score a logistic regression on standardised and whitened features, every face being tested once.

    Whitened, since a few directions hold nearly all variance of a trained feature, and the penalty would keep the
    probe from reading the others. The faces are dealt into five folds with like shares of the classes. The strength of
    the L2 penalty is chosen within the four that train, by the likelihood of those that three inner folds leave out in
    turn; where people are held out, inner folds do so too. Deals depend on the labels and people alone, so runs are
    probed on the same ones. A feature that knows nothing comes out a little below chance where classes are balanced, as
    those who test are then missing among those who train.

    Args:
        features: float, (N, D).
        labels: N class names; classes that less than two people show are left out, for they cannot be both learned
            and tested (less than two images where images are held out).
        people: N names.
        held_out: ``people``, or ``images`` of the same people, by which alone one can ask who somebody is.

    Raises:
        DataError: if features are not finite, or fewer than two classes are left.
    """
    names, who = labels.to_numpy(dtype=object), people.to_numpy(dtype=object)
    if not np.isfinite(features).all():
        raise DataError(
            f"{(~np.isfinite(features).all(1)).sum()} of {len(features)} features are not finite; a probe reads "
            "numbers only: look at the training's curves for where it diverged"
        )
    kept = _probed(names, who, held_out)
    classes, target = np.unique(names[kept].astype(str), return_inverse=True)
    if len(classes) < CLASSES:
        given = sorted(set(names))
        raise DataError(
            f"{len(classes)} of {len(given)} classes ({', '.join(map(str, given[:5]))}) are shown by {_LEAST} "
            f"{held_out} or more; a probe tells two classes apart: probe more faces, or leave this factor out"
        )
    _, person = np.unique(who[kept].astype(str), return_inverse=True)
    by_frequency, by_recall = answers(features[kept].astype(np.float64), target, person, held_out)
    right = by_recall == target
    low, high = _interval(right, target, person)
    return Probe(
        held_out=held_out,
        n=len(target),
        people=int(person.max()) + 1,
        classes=len(classes),
        accuracy=float((by_frequency == target).mean()),
        chance=float(np.bincount(target).max() / len(target)),
        balanced_accuracy=_mean_recall(right, target),
        balanced_chance=1 / len(classes),
        balanced_low=low,
        balanced_high=high,
    )


def probe_table(
    features: Mapping[str, Mapping[str, np.ndarray]],
    sample_ids: Sequence[str],
    truths: pd.DataFrame,
    **run: str | int,
) -> pd.DataFrame:
    """Probe features for expression and the six factors.

    Identity is asked of held-out images of the same people, everything else of held-out people. A factor of which
    too few people show a second class is left out.

    Args:
        features: by when (``before``, ``after``) and part (``expression``, ``disturbance``), float, (N, D).
        sample_ids: N names.
        truths: valid under :data:`openfer.schemas.TRUTHS`; of these faces at least.
        **run: ``method, variant, selection, seed``.

    Returns:
        A table valid under :data:`openfer.schemas.PROBES`.

    Raises:
        DataError: if a face has no truths, or as :func:`probe` does.
    """
    known = truths_of(sample_ids, truths)
    targets = [
        target for target in TARGETS if _can_be_asked(known[_column(target)], known["person"], _held_out(target))
    ]
    rows = [
        {
            **run,
            "when": when,
            "part": part,
            "factor": target,
            **vars(probe(matrix, known[_column(target)], known["person"], held_out=_held_out(target))),
        }
        for when, parts in features.items()
        for part, matrix in parts.items()
        for target in targets
    ]
    return PROBES.validate(pd.DataFrame(rows, columns=list(PROBES.columns)))


def truths_of(sample_ids: Sequence[str], truths: pd.DataFrame) -> pd.DataFrame:
    """Return the truths of some faces, in their order.

    Raises:
        DataError: if a face has none.
    """
    missing = sorted(set(sample_ids) - set(truths["sample_id"]))
    if missing:
        raise DataError(
            f"{len(missing)} of {len(sample_ids)} faces have no truths, the first {missing[0]}; only the renderer "
            "knows them: probe a run on embedded faces, with the truths of all its datasets"
        )
    return truths.set_index("sample_id").loc[list(sample_ids)].reset_index()


def _probed(labels: np.ndarray, people: np.ndarray, held_out: str) -> np.ndarray:
    """Return which faces show a class that can be both learned and tested, bool, (N,)."""
    units = people if held_out == "people" else np.arange(len(people))
    shown = pd.Series(units).groupby(labels).nunique()
    return np.isin(labels, shown.index[shown >= _LEAST].to_numpy(dtype=object))


def _can_be_asked(labels: pd.Series, people: pd.Series, held_out: str) -> bool:
    return labels[_probed(labels.to_numpy(), people.to_numpy(), held_out)].nunique() >= CLASSES


def _column(target: str) -> str:
    """Return the column of the truths that answers: names of identities belong to a set, those of people to all."""
    return "person" if target == "identity" else target


def _held_out(target: str) -> str:
    return "images" if target == "identity" else "people"


def _mean_recall(right: np.ndarray, target: np.ndarray) -> float:
    return float((np.bincount(target, right) / np.bincount(target)).mean())


def _interval(right: np.ndarray, target: np.ndarray, person: np.ndarray) -> tuple[float, float]:
    """Return the percentile interval of the mean recall when people are drawn with replacement."""
    shape = (person.max() + 1, target.max() + 1)
    cell = np.ravel_multi_index((person, target), shape)
    counts, hits = (np.bincount(cell, weights, np.prod(shape)).reshape(shape) for weights in (None, right))
    weights = np.concatenate(list(draws(shape[0], _DRAWS, 0, _DRAWS)), axis=1).T
    shown, found = weights @ counts, weights @ hits
    recalls = np.divide(found, shown, out=np.full(shown.shape, np.nan), where=shown > 0)
    low, high = percentiles(np.nanmean(recalls, axis=1))
    return float(low), float(high)


def probe_summary(probes: pd.DataFrame) -> pd.DataFrame:
    """Summarise probes that differ in their run's seed only.

    Args:
        probes: valid under :data:`openfer.schemas.PROBES`, any number of runs.

    Returns:
        What :func:`openfer.evaluation.mean_over_seeds.mean_over_seeds` does, by method, variant, selection, when, part
        and factor: means and deviations of ``accuracy`` and ``balanced_accuracy``. All else is the same for all seeds.

    Raises:
        DataError: if seeds were probed on different faces.
    """
    same = ("held_out", "n", "people", "classes", "chance", "balanced_chance")
    keys = ("method", "variant", "selection", "when", "part", "factor")
    return mean_over_seeds(probes, keys, same, ("accuracy", "balanced_accuracy"))
