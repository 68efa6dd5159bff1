"""Whether two features of the same faces are independent, by kernels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.mean_over_seeds import mean_over_seeds
from openfer.seeds import generator_for

_PERMUTATIONS = 500
_FEWEST = 4
"""Faces that the estimate takes at least: it compares two pairs that share no face."""


@dataclass(frozen=True)
class Dependence:
    """How far two features depend on each other.

    Attributes:
        value: normalised HSIC, about 0 for independent features, below it by chance as often as above, and 1 for
            features whose distances agree.
        p_value: probability of as large a value when features are paired at random, at least 1 / 501.
    """

    value: float
    p_value: float


def dependence(first: np.ndarray, second: np.ndarray) -> Dependence:
    """Measure any dependence of two features, linear or not.

    ``HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))`` with the unbiased estimate of the Hilbert-Schmidt independence
    criterion (Gretton et al., ALT 2005; Song et al., JMLR 13, 2012, Eq. 5) and Gaussian kernels, each as wide as the
    median distance of its feature: centred kernel alignment (Kornblith et al., ICML 2019) without its bias, which
    alone comes near 1 for features of many dimensions and few faces. The permutation test takes faces as independent,
    which several of one person are not; so two features that both know the person count as dependent.

    Args:
        first: float, (N, D_1); its scale does not matter, that of its dimensions to each other does.
        second: float, (N, D_2).

    Returns:
        The measure; 0 with probability 1 if a feature is the same for all faces.

    Raises:
        DataError: if there are fewer than four faces.
    """
    n = len(first)
    if n < _FEWEST:
        raise DataError(f"dependence is measured on {_FEWEST} faces or more, given {n}; test on more faces")
    if not all(np.ptp(feature, axis=0).any() for feature in (first, second)):
        return Dependence(0.0, 1.0)
    one, other = (_centred(_kernel(feature.astype(np.float64))) for feature in (first, second))
    scale = np.sqrt((one * one).sum() * (other * other).sum())
    value = (one * other).sum() / scale
    draw = generator_for(0, "independence")
    orders = (draw.permutation(n) for _ in range(_PERMUTATIONS))
    by_chance = [(one * other[np.ix_(order, order)]).sum() / scale for order in orders]
    as_large = sum(bool(each >= value) for each in by_chance)
    return Dependence(float(value), (1 + as_large) / (1 + _PERMUTATIONS))


def independence_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise measures that differ in their run's seed only.

    Args:
        table: valid under :data:`openfer.schemas.INDEPENDENCE`, any number of runs.

    Returns:
        What :func:`openfer.evaluation.mean_over_seeds.mean_over_seeds` does, by method, variant, selection, when and
        measure: mean and deviation of ``value``, and ``largest_p``, null for a measure without a test.

    Raises:
        DataError: if seeds were measured on different faces.
    """
    keys = ["method", "variant", "selection", "when", "measure"]
    summary = mean_over_seeds(table, keys, ("n", "people"), ("value",))
    largest = table.groupby(keys, sort=False)["p_value"].max().rename("largest_p")
    return summary.merge(largest.reset_index(), on=keys, validate="one_to_one")


def _kernel(feature: np.ndarray) -> np.ndarray:
    """Return Gaussian similarities as wide as the median of the distances that are not zero, (N, N)."""
    from scipy.spatial.distance import pdist, squareform

    squares = pdist(feature, "sqeuclidean")
    return np.exp(squareform(squares) / (-2 * np.median(squares[squares > 0])))


def _centred(kernel: np.ndarray) -> np.ndarray:
    """Return the U-centred matrix, whose inner products are unbiased HSIC times n (n - 3); the diagonal is zero.

    Szekely and Rizzo, Annals of Statistics 42, 2014: rows sum to zero without their diagonal.
    """
    n = len(kernel)
    off = kernel - np.diag(np.diag(kernel))
    rows = off.sum(0)
    centred = off - (rows[:, None] + rows[None]) / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return centred
