import json

import numpy as np
import pytest

from openfer.errors import DataError
from openfer_faces.landmarks.calibrate import Calibration, auc, calibration_error, fit_calibration


def drawn(seed: int, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose chance of a visible point is known: a logistic curve, and another unit for each point."""
    generator = np.random.default_rng(seed)
    common = generator.normal(0, 2, (count, 68))
    visible = generator.random((count, 68)) < 1 / (1 + np.exp(-common))
    return common * np.linspace(0.5, 20, 68) + np.linspace(-100, 100, 68), visible


def test_calibrated_scores_are_the_shares_that_they_promise() -> None:
    calibration = fit_calibration(*drawn(0))
    scores, visible = drawn(1)
    confidence = calibration(scores)
    assert confidence.min() >= 0
    assert confidence.max() <= 1
    assert calibration_error(confidence, visible) < 0.02
    for low in (0.1, 0.4, 0.7):
        chosen = (confidence >= low) & (confidence < low + 0.2)
        assert visible[chosen].mean() == pytest.approx(confidence[chosen].mean(), abs=0.03)


def test_a_higher_score_of_a_point_never_has_a_lower_confidence() -> None:
    calibration = fit_calibration(*drawn(0))
    rising = np.linspace(-300, 300, 200)[:, None].repeat(68, 1)
    assert (np.diff(calibration(rising), axis=0) >= 0).all()


def test_a_calibration_travels_as_plain_numbers() -> None:
    calibration = fit_calibration(*drawn(0))
    copy = Calibration.from_facts(json.loads(json.dumps(calibration.facts())))
    scores, _ = drawn(2)
    assert np.array_equal(copy(scores), calibration(scores))


def test_faces_without_hidden_points_calibrate_nothing() -> None:
    scores, visible = drawn(0)
    with pytest.raises(DataError, match="27200 of 27200 points are visible"):
        fit_calibration(scores, np.ones_like(visible))


def test_calibration_error_is_the_gap_between_promise_and_share() -> None:
    confidence, visible = np.full(1000, 0.9), np.arange(1000) < 600
    assert calibration_error(confidence, visible) == pytest.approx(0.3)
    assert auc(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1])) == 1.0
    assert np.isnan(auc(confidence, np.ones(1000)))
