"""What differences between methods are worth: by person, and after many comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openfer.evaluation.bootstrap import AT_ONCE, draws, percentiles


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


def resampled_means(values: np.ndarray, units: np.ndarray, repeats: int = 1000, seed: int = 0) -> np.ndarray:
    """Return the means of several rows of values in resamples by person, which are the same ones for all rows.

    Args:
        values: (M, N), such as right or wrong (1 or 0) of M methods on the same N samples.
        units: int64, (N,), the person of each sample, from 0 without gaps
            (:func:`openfer.evaluation.bootstrap.units`).
        repeats: how many resamples, R.
        seed: of the draws.

    Returns:
        (M, R).
    """
    people = int(units.max()) + 1
    sums = np.stack([np.bincount(units, row, people) for row in values])
    sizes = np.bincount(units, minlength=people).astype(float)
    at_once = max(1, min(repeats, AT_ONCE // people))
    drawn = [(sums @ weights) / (sizes @ weights) for weights in draws(people, repeats, seed, at_once)]
    return np.concatenate(drawn, axis=1)


def paired_bootstrap(difference: float, replicates: np.ndarray, people: int) -> PairedBootstrap:
    """Say what resamples of a mean paired difference are worth.

    The probability is by the standard error and not a share of the resamples, as a share cannot be smaller than one
    in their number, which a correction for many comparisons would need.

    Args:
        difference: in the data, such as the accuracy of one method minus that of another.
        replicates: (R,), the same in each resample (:func:`resampled_means`).
        people: how many were drawn.
    """
    from scipy.stats import t

    error = float(replicates.std(ddof=1))
    low, high = percentiles(replicates)
    p_value = 1.0
    if people > 1 and difference != 0:
        score = abs(difference) / error if error > 0 else np.inf
        p_value = float(2 * t.sf(score, people - 1))
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
