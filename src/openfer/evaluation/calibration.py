"""Whether a run is right as often as it is sure: reliability by confidence, and the expected calibration error."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.predictions import classes_in

BINS = 15
"""Of equal width, as Guo et al. (On Calibration of Modern Neural Networks, 2017) count them."""


def confidences(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return the probability that a run gave its own answers, float64, (N,), in [0, 1].

    Raises:
        DataError: if an answer has no column of probabilities, or no probability in it.
    """
    columns = [f"p_{name}" for name in classes]
    place = pd.Index(classes).get_indexer(pd.Index(predictions["y_pred"]))
    lacking = [name for name in columns if name not in predictions]
    if lacking or (place < 0).any():
        raise DataError(
            f"the predictions lack the columns {lacking or sorted(set(predictions['y_pred']) - set(classes))}, so the "
            "confidence of some answers is not known; give one column p_<class> for each class that can be answered"
        )
    found = predictions[columns].to_numpy(dtype=np.float64)[np.arange(len(place)), place]
    if np.isnan(found).any():
        at = int(np.isnan(found).argmax())
        raise DataError(
            f"sample {predictions['sample_id'].iloc[at]} is answered {predictions['y_pred'].iloc[at]!r} without a "
            "probability of it; predict the run again, with all classes"
        )
    return found


def bin_of(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the bin of each confidence, from 0; a bin holds its upper bound, the first one 0 too."""
    return np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)


def reliability(predictions: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Compare confidence and accuracy, bin by bin.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`; the seeds of a method are pooled.
        bins: how many, of equal width in [0, 1].

    Returns:
        One row per bin, ``bin`` (from 0), ``low``, ``high``, ``n``, and the means ``confidence`` and ``accuracy`` of
        its samples, NaN in an empty bin. Confidence is the probability of the predicted class.

    Raises:
        DataError: if the table lacks the probability of an answer.
    """
    sure = confidences(predictions, classes_in(predictions))
    right = (predictions["y_true"] == predictions["y_pred"]).to_numpy()
    edges = np.linspace(0, 1, bins + 1)
    samples = pd.DataFrame({"bin": bin_of(sure, bins), "confidence": sure, "accuracy": right.astype(float)})
    by_bin = samples.groupby("bin")
    table = pd.DataFrame({"bin": range(bins), "low": edges[:-1], "high": edges[1:]}).set_index("bin")
    table["n"] = by_bin.size().reindex(table.index, fill_value=0)
    return table.join(by_bin.mean()).reset_index()


def calibration_error(gaps: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the expected calibration error (Guo et al., Eq. 3): the mean gap of accuracy and confidence over samples.

    Args:
        gaps: sum of (correct - confidence) by bin, (..., bins).
        n: number of samples, (...).

    Returns:
        In [0, 1], (...).
    """
    error: np.ndarray = np.abs(gaps).sum(axis=-1) / n
    return error


def error_of(table: pd.DataFrame) -> float:
    """Return the expected calibration error of a table of :func:`reliability`."""
    gaps = (table["accuracy"] - table["confidence"]).fillna(0) * table["n"]
    return float(calibration_error(gaps.to_numpy(), table["n"].to_numpy().sum()))
