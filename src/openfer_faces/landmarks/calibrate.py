"""From a raw score to the probability that a point is visible, fitted on people nobody was trained on.

Points differ in what their scores look like: a contour point's peak is flatter than a lid's, and its
place moves more. So each point's scores are first brought to a common scale, then one monotonic curve
(isotonic regression) over all points says how often such a score was a visible point.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from openfer.errors import DataError

_KNOTS = 64
_FLOOR = 0.002
"""No finite sample proves a probability of 0 or 1."""


@dataclass(frozen=True)
class Calibration:
    """A monotonic map from raw scores to probabilities, in plain numbers.

    Attributes:
        centre: offset that is subtracted from each point's score, (68,).
        scale: divisor of the difference, (68,).
        knots: common scores, ascending, (K,).
        probabilities: at the knots, not descending, (K,); between them the map is linear.
    """

    centre: np.ndarray
    scale: np.ndarray
    knots: np.ndarray
    probabilities: np.ndarray

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Return probabilities in [0, 1] of raw scores, (N, 68) -> (N, 68), float32."""
        common = (scores - self.centre) / self.scale
        return np.interp(common, self.knots, self.probabilities).astype(np.float32)

    def facts(self) -> dict[str, list[float]]:
        """Return the map as JSON-serialisable lists."""
        return {name: np.asarray(value).astype(float).tolist() for name, value in vars(self).items()}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Self:
        """Take the map out of :meth:`facts`."""
        return cls(**{name: np.array(facts[name], float) for name in cls.__dataclass_fields__})


def fit_calibration(scores: np.ndarray, visible: np.ndarray) -> Calibration:
    """Fit the map.

    Args:
        scores: raw, higher for points more likely visible, (N, 68), finite.
        visible: whether each point was, (N, 68), bool.

    Raises:
        DataError: if all points are visible, or none.
    """
    from sklearn.isotonic import IsotonicRegression

    visible = visible.astype(bool)
    if visible.all() or not visible.any():
        raise DataError(
            f"{visible.sum()} of {visible.size} points are visible: a confidence is calibrated on visible and hidden "
            "ones; give faces with something over them"
        )
    quarter, centre, three_quarters = np.percentile(scores, (25, 50, 75), axis=0)
    scale = np.maximum(three_quarters - quarter, 1e-3 * (1 + abs(centre)))
    common = ((scores - centre) / scale).ravel()
    curve = IsotonicRegression(y_min=_FLOOR, y_max=1 - _FLOOR, out_of_bounds="clip").fit(common, visible.ravel())
    knots = np.unique(np.quantile(common, np.linspace(0, 1, _KNOTS)))
    return Calibration(centre, scale, knots, curve.predict(knots))


def auc(confidence: np.ndarray, visible: np.ndarray) -> float:
    """Return how often a visible point's confidence is above a hidden one's; NaN where one kind is missing."""
    from sklearn.metrics import roc_auc_score

    truth = visible.ravel().astype(bool)
    return float("nan") if truth.all() or not truth.any() else float(roc_auc_score(truth, confidence.ravel()))


def calibration_error(confidence: np.ndarray, visible: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error: mean |confidence - share of visible points| over bins of equal width."""
    confidence, truth = confidence.ravel().astype(float), visible.ravel().astype(float)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    gaps = abs(np.bincount(place, confidence, bins) - np.bincount(place, truth, bins))
    return float(gaps.sum() / max(1, counts.sum()))
