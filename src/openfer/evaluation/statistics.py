"""What differences between methods are worth: by person, and after many comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openfer.evaluation.bootstrap import draws, percentiles

_AT_ONCE = 1 << 22
"""Weights in memory at once: 32 MB."""


@dataclass(frozen=True)
class PairedBootstrap:
    """A mean difference, resampled.

    Attributes:
        people: units that were drawn, each with all its samples.
        standard_error: the standard deviation of the resampled differences.
        low: lower bound of the 95 % percentile interval.
        high: its upper bound.
        p_value: two-sided, of the difference in units of that standard error, by Student's t with people - 1 degrees
            of freedom; 1 where there are fewer than two people, or no difference.
    """

    people: int
    standard_error: float
    low: float
    high: float
    p_value: float


def paired_bootstrap(differences: np.ndarray, units: np.ndarray, repeats: int = 1000, seed: int = 0) -> PairedBootstrap:
    """Resample the mean of paired differences by person.

    The probability is by the standard error and not a share of the resamples, as a share cannot be smaller than one
    in ``repeats``, which a correction for many comparisons would need.

    Args:
        differences: (N,), such as right or wrong (1 or 0) of one method minus that of another on the same samples.
        units: int64, (N,), the person of each sample, from 0 without gaps
            (:func:`openfer.evaluation.bootstrap.units`).
        repeats: how many resamples.
        seed: of the draws.
    """
    from scipy.stats import t

    people = int(units.max()) + 1
    sums = np.bincount(units, differences, people)
    sizes = np.bincount(units, minlength=people).astype(float)
    at_once = max(1, min(repeats, _AT_ONCE // people))
    drawn = [(sums @ weights) / (sizes @ weights) for weights in draws(people, repeats, seed, at_once)]
    replicates = np.concatenate(drawn)
    error, mean = float(replicates.std(ddof=1)), float(np.mean(differences))
    low, high = percentiles(replicates)
    with np.errstate(divide="ignore"):
        p_value = 1.0 if people < 2 or mean == 0 else float(2 * t.sf(abs(np.divide(mean, error)), people - 1))
    return PairedBootstrap(people, error, float(low), float(high), p_value)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return probabilities corrected for their number (Holm, A Simple Sequentially Rejective Test, 1979).

    The smallest of m is multiplied by m, the next one by m - 1, and so on; none is smaller than the one before it,
    and none exceeds 1. Those below a level stay below it together, with no more than that chance of any error.

    Args:
        p_values: (m,), in [0, 1].

    Returns:
        float64, (m,), in the order given.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(steps, 1)
    return corrected
