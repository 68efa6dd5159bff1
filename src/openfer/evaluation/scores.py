"""The scores of every run in a table, of a method over its seeds and folds, and of the classes of one run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.mean_over_seeds import mean_over_seeds
from openfer.evaluation.metrics import METRICS, OF_FACES, Answers, rated
from openfer.evaluation.predictions import RUN, classes_in, classified, single_run
from openfer.labels import AFFECT

METHOD = tuple(key for key in RUN if key != "seed")
"""The columns that name a line of :func:`summarise`."""


def per_class(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score the classes of one run.

    Args:
        predictions: one run, valid under :data:`openfer.schemas.PREDICTIONS`; every face has a class.

    Returns:
        Index ``class`` in canonical order, columns ``recall, precision, f1`` in [0, 1] and ``support`` (faces). Recall
        and F1 are NaN for a class that the test set does not show, precision for a class that is never predicted.
    """
    single_run(predictions)
    classes = classes_in(predictions)
    answers = Answers.of_run(predictions, classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(answers.true > 0, 2 * answers.right / (answers.true + answers.predicted), np.nan)
        scores = {"recall": answers.right / answers.true, "precision": answers.right / answers.predicted, "f1": f1}
    return pd.DataFrame(scores | {"support": answers.true.astype(int)}, index=pd.Index(list(classes), name="class"))


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """Count the faces of any number of runs by true class (index ``true``) and predicted class (columns)."""
    classes = classes_in(predictions)
    true, answer = (pd.Categorical(predictions[column], classes) for column in ("y_true", "y_pred"))
    table = pd.crosstab(true, answer, dropna=False)
    names = [pd.Index(list(classes), name=name) for name in ("true", "predicted")]
    return pd.DataFrame(table.to_numpy(), index=names[0], columns=names[1])


def score_runs(
    predictions: pd.DataFrame, names: Sequence[str] | None = None, rows: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Score every run of a table with the classes that its probability columns name.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`, any number of runs.
        names: of the metrics; None takes those of faces, those of values where a run predicts valence and arousal, and
            with ``rows`` those of sequences.
        rows: of the datasets, :data:`openfer.schemas.ROWS`.

    Returns:
        One row per method, variant, selection, task and seed, in order of appearance: the columns of
        :data:`~openfer.evaluation.predictions.RUN`, ``n`` (faces with a class), ``folds``, ``absent`` (classes that
        the test set does not show, joined by ", "), ``valence_n`` and ``arousal_n`` (rated faces) where a run predicts
        values, one column per metric, NaN for a run that lacks its input, and ``standard_error`` of the accuracy,
        sqrt(p (1 - p) / n). It covers the sampling of the test set alone, not training noise, and takes images of one
        person as independent.

    Raises:
        DataError: if the table is empty, or a run has a sample twice.
    """
    table = [single_run(run) | _scored(run, names, rows) for _, run in predictions.groupby(list(RUN), sort=False)]
    if not table:
        raise DataError("the predictions table is empty: nothing can be scored; check the split's test role")
    return pd.DataFrame(table)


def summarise(
    predictions: pd.DataFrame, names: Sequence[str] | None = None, rows: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Summarise the seeds and folds of each method: one line per method, variant, selection and task.

    The folds of a seed are joined first: ``accuracy`` and the other metrics pool their faces, ``fold_accuracy`` is the
    mean over folds, as papers print it. Then seeds are averaged. The standard error stays that of one test set: more
    seeds do not make the test set larger. One seed gives the scores of :func:`score_runs`, without a deviation.

    Args:
        predictions: of any number of runs, folds and seeds; runs of one method, variant and seed are its folds.
        names: of the metrics, as for :func:`score_runs`.
        rows: of the datasets, as for :func:`score_runs`.

    Returns:
        In order of appearance: ``method, variant, selection, task``, ``n`` (faces of a seed), ``folds``, ``absent``,
        ``valence_n`` and ``arousal_n`` where there are values, ``seeds`` (how many), the mean of each metric and of
        ``standard_error``, and ``<metric>_std``, the sample standard deviation over seeds, NaN for one seed.

    Raises:
        DataError: as :func:`score_runs`, or if seeds were tested on different faces or folds.
    """
    runs = score_runs(predictions, names, rows)
    same = [name for name in ("n", "folds", "absent", *(f"{name}_n" for name in AFFECT)) if name in runs]
    values = [name for name in METRICS if name in runs]
    summary = mean_over_seeds(runs, METHOD, same, [*values, "standard_error"])
    return summary.drop(columns="standard_error_std")


def _scored(run: pd.DataFrame, names: Sequence[str] | None, rows: pd.DataFrame | None) -> dict[str, Any]:
    faces, classes = classified(run), classes_in(run)
    answers = Answers.of_run(run, classes, rows)
    values = [name for name in AFFECT if f"{name}_pred" in run]
    regresses = any(run[f"{name}_pred"].notna().any() for name in values)
    known = {"values": regresses, "sequences": rows is not None} | dict.fromkeys(OF_FACES, len(faces) > 0)
    if names is None:
        names = [name for name, metric in METRICS.items() if metric.needs in OF_FACES or known[metric.needs]]
    wanted = [METRICS[name] for name in names]
    absent = [name for name in classes if name not in set(faces["y_true"])]
    accuracy = float(METRICS["accuracy"].of(answers))
    return (
        {"n": len(faces), "folds": faces["fold"].nunique(), "absent": ", ".join(absent)}
        | ({f"{name}_n": len(rated(run, name)[0]) for name in values} if regresses else {})
        | {metric.name: float(metric.of(answers)) if known[metric.needs] else np.nan for metric in wanted}
        | {"standard_error": np.sqrt(accuracy * (1 - accuracy) / len(faces)) if len(faces) else np.nan}
    )
