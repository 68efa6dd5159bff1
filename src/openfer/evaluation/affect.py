"""Valence and arousal: how well a run's values agree with the ratings (ADDL, Table 14)."""

import numpy as np
import pandas as pd

from openfer.evaluation.mean_over_seeds import mean_over_seeds
from openfer.evaluation.predictions import RUN, single_run
from openfer.labels import AFFECT

MEASURES = ("ccc", "rmse")
"""Lin's concordance correlation coefficient, in [-1, 1], and the root mean square error."""

SCORES = "affect"
"""What these scores are called among those of tasks."""

COLUMNS = tuple(f"{name}_{what}" for name in AFFECT for what in ("n", *MEASURES))
"""What :func:`score_affect` gives of each run: rated samples and both measures, of valence and of arousal."""


def score_affect(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every run that regresses, over the samples that are rated, pooled over all folds.

    By torchmetrics, whose coefficient has variances and covariance divided by n - 1; the trainer's, by which an epoch
    is chosen, divides by n. Where answers or ratings do not vary at all the coefficient is 0, as their covariance is.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`; runs without values are left out.

    Returns:
        One row per method, variant, selection, task and seed, with :data:`COLUMNS`; a dimension that no sample is rated
        in has n 0 and NaN.

    Raises:
        DataError: if a run has a sample twice.
    """
    answers = [f"{name}_pred" for name in AFFECT]
    if not set(answers) <= set(predictions):
        return pd.DataFrame(columns=[*RUN, *COLUMNS])
    regressed = predictions[predictions[answers].notna().any(axis=1)]
    rows = [single_run(run) | _scores(run) for _, run in regressed.groupby(list(RUN), sort=False)]
    return pd.DataFrame(rows, columns=[*RUN, *COLUMNS])


def over_seeds(scores: pd.DataFrame) -> pd.DataFrame:
    """Summarise the runs that differ in their seed only.

    Args:
        scores: what :func:`score_affect` gave.

    Returns:
        What :func:`openfer.evaluation.mean_over_seeds.mean_over_seeds` does, by method, variant, selection and task:
        the n of a run, how many ``seeds``, mean and deviation of each measure.

    Raises:
        DataError: if seeds of one method were tested on different numbers of samples.
    """
    keys = [key for key in RUN if key != "seed"]
    measures = [f"{name}_{measure}" for name in AFFECT for measure in MEASURES]
    return mean_over_seeds(scores, keys, [f"{name}_n" for name in AFFECT], measures)


def _scores(run: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in AFFECT:
        rated = run[[f"{name}_true", f"{name}_pred"]].dropna().to_numpy(dtype=np.float64)
        measured = _measured(rated[:, 0], rated[:, 1]) if len(rated) else (np.nan, np.nan)
        found |= {f"{name}_n": len(rated)} | {f"{name}_{m}": v for m, v in zip(MEASURES, measured, strict=True)}
    return found


def _measured(true: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    import torch
    from torchmetrics.functional import concordance_corrcoef, mean_squared_error

    answers, ratings = torch.tensor(predicted), torch.tensor(true)
    constant = np.ptp(true) == 0 or np.ptp(predicted) == 0
    coefficient = 0.0 if constant else float(concordance_corrcoef(answers, ratings))
    return coefficient, float(mean_squared_error(answers, ratings, squared=False))
