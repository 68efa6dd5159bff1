"""The predictions table: how it is made, and how its runs and classes are read."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.schemas import FEATURES, PREDICTIONS

RUN = ("method", "variant", "selection", "task", "seed")
"""What makes a run: one trained model (or one per fold), its epoch chosen in one named way."""

FEATURE_PREFIX = "f"
"""Of the columns of a features table, numbered from 0."""

_TOLERANCE = 1e-3
_SIDES = ("true", "pred")

_NO_VALUES: Mapping[str, tuple[np.ndarray, np.ndarray]] = MappingProxyType({})


def predictions_table(
    sample_ids: Sequence[str],
    probabilities: np.ndarray,
    classes: Sequence[str],
    y_true: Sequence[str | None],
    *,
    fold: int,
    seed: int,
    method: str,
    variant: str,
    selection: str,
    task: str,
    values: Mapping[str, tuple[np.ndarray, np.ndarray]] = _NO_VALUES,
) -> pd.DataFrame:
    """Make the predictions table of one model on one set of samples.

    Args:
        sample_ids: N names.
        probabilities: float, shape (N, K), in [0, 1], rows summing to 1.
        classes: K names, in the order of the columns.
        y_true: N names of true labels, each one of the classes; None for a sample that has a true value instead.
        fold: the fold that the samples were tested in; 0 for an official split.
        seed: the root seed of the training.
        method: the registered name.
        variant: the paper's row, such as ``Baseline_mat``.
        selection: ``last``, ``best_val`` or ``oracle_test``.
        task: ``expression`` or a disturbing factor.
        values: what is regressed, such as ``valence``: true values, NaN where unknown, and predicted ones, (N,).

    Returns:
        A table valid under :data:`openfer.schemas.PREDICTIONS`, in the order given, with ``y_pred`` the most
        probable class and one column ``p_<class>`` per class.

    Raises:
        DataError: if the shapes do not match, a row is not a probability distribution, or a true label is
            missing or not one of the classes.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    expected = (len(sample_ids), len(classes))
    if probabilities.shape != expected or len(y_true) != len(sample_ids):
        raise DataError(
            f"predictions of {method}/{variant}: probabilities have shape {probabilities.shape} and there are "
            f"{len(y_true)} labels, expected {expected} and {len(sample_ids)}; give one row per sample and one column "
            "per class"
        )
    wrong = (np.abs(probabilities.sum(axis=1) - 1) > _TOLERANCE) | (probabilities < 0).any(axis=1)
    wrong |= ~np.isfinite(probabilities).all(axis=1)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"predictions of {method}/{variant}: {wrong.sum()} rows are not probabilities, the first {sample_ids[at]}: "
            f"{probabilities[at].round(3).tolist()}; apply a softmax to the logits and look for NaN in training"
        )
    true = pd.Series(list(y_true), dtype=object)
    rated = np.zeros(len(true), dtype=bool)
    for known, _ in values.values():
        rated |= ~np.isnan(known)
    refuse_unknown(true[true.notna() | ~rated], classes, f"y_true of {method}/{variant}")
    table = pd.DataFrame(
        {
            "sample_id": list(sample_ids),
            "fold": fold,
            "seed": seed,
            "method": method,
            "variant": variant,
            "selection": selection,
            "task": task,
            "y_true": list(y_true),
            "y_pred": np.asarray(classes, dtype=object)[probabilities.argmax(axis=1)],
        }
    )
    # float32 softmax may exceed 1 by rounding
    columns = pd.DataFrame(np.clip(probabilities, 0, 1), columns=[f"p_{name}" for name in classes])
    sides = {f"{name}_{side}": own for name, both in values.items() for side, own in zip(_SIDES, both, strict=True)}
    return PREDICTIONS.validate(pd.concat([table, pd.DataFrame(sides, dtype=float), columns], axis=1))


def features_table(sample_ids: Sequence[str], features: np.ndarray, y_true: Sequence[str]) -> pd.DataFrame:
    """Make the table of what a classifier reads.

    Args:
        sample_ids: N names.
        features: float, (N, D).
        y_true: N names of true labels.

    Returns:
        A table valid under :data:`openfer.schemas.FEATURES`.
    """
    names = pd.DataFrame({"sample_id": list(sample_ids), "y_true": list(y_true)})
    columns = [f"{FEATURE_PREFIX}{number}" for number in range(features.shape[1])]
    return FEATURES.validate(pd.concat([names, pd.DataFrame(features, columns=columns)], axis=1))


def classes_in(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes of a run: its ``p_<class>`` columns that are not wholly null, in their order."""
    columns = [name for name in predictions.columns if name.startswith("p_")]
    return tuple(name.removeprefix("p_") for name in columns if predictions[name].notna().any())


def classified(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a true class; the others are rated only, see :mod:`openfer.evaluation.affect`."""
    return predictions[predictions["y_true"].notna()]


def runs_in(predictions: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield the runs in order of appearance, each with the values of :data:`RUN` and its samples that have a class."""
    for key, run in classified(predictions).groupby(list(RUN), sort=False):
        yield dict(zip(RUN, key, strict=True)), run


def single_run(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return the values of :data:`RUN` of a table that holds one run.

    Raises:
        DataError: if the table is empty, holds several runs, or has a sample more than once.
    """
    if predictions.empty:
        raise DataError("the predictions table is empty: nothing can be scored; check the split's test role")
    keys = predictions[list(RUN)].drop_duplicates()
    if len(keys) > 1:
        raise DataError(
            f"expected the predictions of one run, found {len(keys)}, the first {keys.head(3).to_dict('records')}; "
            "select one method, variant, selection, task and seed, or use score_runs"
        )
    name = {key: keys[key].iloc[0] for key in RUN}
    repeated = predictions["sample_id"][predictions["sample_id"].duplicated()]
    if len(repeated):
        raise DataError(
            f"{repeated.nunique()} samples of run {name} are predicted more than once, the first {repeated.iloc[0]}; "
            "each sample is tested in one fold only: score repeated folds as runs of their own"
        )
    return name


def refuse_unknown(names: pd.Series, classes: Sequence[str], where: str) -> None:
    """Raise DataError if a label is not one of the classes."""
    unknown = names[~names.isin(list(classes))]
    if len(unknown):
        raise DataError(
            f"{where}: {len(unknown)} labels are not classes, the first {unknown.iloc[0]!r}; the classes are "
            f"{', '.join(classes)}. Leave unlabelled samples out, or correct the class tuple"
        )
