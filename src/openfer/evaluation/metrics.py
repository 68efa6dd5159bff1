"""What a predictions table says of a run: accuracy, macro-F1, NMI, calibration, per-class scores, confusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.calibration import calibration_error, reliability
from openfer.evaluation.predictions import RUN, classes_in, runs_in, single_run

Share = TypeVar("Share", float, np.ndarray)

METRICS = (
    *("accuracy", "fold_accuracy", "balanced_accuracy", "macro_f1", "aff_wild2_score", "nmi"),
    "calibration_error",
)
"""The columns of :func:`score_runs` that are averaged over seeds."""

AFF_WILD2_WEIGHTS = (0.33, 0.67)
"""Of accuracy and macro-F1 in the score of Aff-Wild2's expression challenge (Kollias et al., ABAW 2020)."""


@dataclass(frozen=True)
class Scores:
    """The scores of one run; shares are in [0, 1].

    Attributes:
        n: test samples, over all folds.
        accuracy: pooled over all samples.
        standard_error: of the pooled accuracy, sqrt(p (1 - p) / n): the sampling of the test set alone, neither
            training noise nor the dependence between images of one person.
        fold_accuracies: accuracy by fold number; one entry for an official split.
        balanced_accuracy: mean recall over the classes that the test set shows (see ``absent``).
        macro_f1: mean F1 over the same classes.
        nmi: normalised mutual information of true and predicted labels, arithmetic normalisation.
        calibration_error: expected, in 15 bins (:mod:`openfer.evaluation.calibration`).
        per_class: index class name, columns ``recall, precision, f1, support``; a class that the test set
            does not show has NaN recall and F1, one never predicted has NaN precision.
        confusion: counts, index true names, columns predicted names.
        absent: classes that no test sample has.
    """

    n: int
    accuracy: float
    standard_error: float
    fold_accuracies: dict[int, float]
    balanced_accuracy: float
    macro_f1: float
    nmi: float
    calibration_error: float
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    absent: tuple[str, ...]

    @property
    def fold_accuracy(self) -> float:
        """The mean of the fold accuracies, which is what papers with cross-validation print."""
        return float(np.mean(list(self.fold_accuracies.values())))

    @property
    def aff_wild2_score(self) -> float:
        """The score of Aff-Wild2's challenge: 0.33 accuracy + 0.67 macro-F1."""
        return aff_wild2_score(self.accuracy, self.macro_f1)


def aff_wild2_score(accuracy: Share, macro_f1: Share) -> Share:
    """Return 0.33 accuracy + 0.67 macro-F1, of numbers or of arrays."""
    return AFF_WILD2_WEIGHTS[0] * accuracy + AFF_WILD2_WEIGHTS[1] * macro_f1


def score(predictions: pd.DataFrame, classes: Sequence[str]) -> Scores:
    """Score one run.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`; one method, variant, selection, task and
            seed, any number of folds.
        classes: the names that the model could answer, in canonical order.

    Raises:
        DataError: if the table is empty, holds several runs or a sample twice, or has a label that is not
            a class or an answer without a probability.
    """
    from sklearn.metrics import (
        confusion_matrix,
        f1_score,
        normalized_mutual_info_score,
        precision_recall_fscore_support,
    )

    name = single_run(predictions)
    true, predicted = (predictions[column].to_numpy(dtype=object) for column in ("y_true", "y_pred"))
    unknown = sorted({*true, *predicted} - set(classes))
    if unknown:
        raise DataError(
            f"run {name} has the labels {unknown}, which are not among the classes {list(classes)}; "
            "score it with the class tuple that it was trained with"
        )
    present = [c for c in classes if c in set(true)]
    correct = true == predicted
    accuracy = float(correct.mean())
    # numbers, as scikit-learn sorts words many times over
    places, number = np.arange(len(classes)), {label: place for place, label in enumerate(classes)}
    codes = [np.array([number[label] for label in labels]) for labels in (true, predicted)]
    precision, recall, f1, support = precision_recall_fscore_support(*codes, labels=places, zero_division=np.nan)
    per_class = pd.DataFrame(
        {"recall": recall, "precision": precision, "f1": f1, "support": support},
        index=pd.Index(list(classes), name="class"),
    )
    per_class.loc[per_class["support"] == 0, "f1"] = np.nan
    confusion = pd.DataFrame(
        confusion_matrix(*codes, labels=places),
        index=pd.Index(list(classes), name="true"),
        columns=pd.Index(list(classes), name="predicted"),
    )
    folds = pd.Series(correct).groupby(predictions["fold"].to_numpy()).mean()
    return Scores(
        n=len(predictions),
        accuracy=accuracy,
        standard_error=float(np.sqrt(accuracy * (1 - accuracy) / len(predictions))),
        fold_accuracies=dict(zip(folds.index.tolist(), folds.tolist(), strict=True)),
        balanced_accuracy=float(per_class["recall"].mean()),
        macro_f1=float(
            f1_score(*codes, labels=[number[label] for label in present], average="macro", zero_division=0.0)
        ),
        nmi=float(normalized_mutual_info_score(*codes)),
        calibration_error=calibration_error(reliability(predictions)),
        per_class=per_class,
        confusion=confusion,
        absent=tuple(c for c in classes if c not in present),
    )


def score_runs(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every run of a table with the classes that its probability columns name.

    Returns:
        One row per method, variant, selection, task and seed, in order of appearance, with the columns
        ``n, folds, accuracy, standard_error, fold_accuracy, balanced_accuracy, macro_f1, aff_wild2_score, nmi,
        calibration_error, absent``: ``absent`` names the classes that the test set does not show, which macro-F1 and
        balanced accuracy leave out.
    """
    table = []
    for name, run in runs_in(predictions):
        scores = score(run, classes_in(run))
        table.append(
            name
            | {
                "n": scores.n,
                "folds": len(scores.fold_accuracies),
                "accuracy": scores.accuracy,
                "standard_error": scores.standard_error,
                "fold_accuracy": scores.fold_accuracy,
                "balanced_accuracy": scores.balanced_accuracy,
                "macro_f1": scores.macro_f1,
                "aff_wild2_score": scores.aff_wild2_score,
                "nmi": scores.nmi,
                "calibration_error": scores.calibration_error,
                "absent": ", ".join(scores.absent),
            }
        )
    if not table:
        raise DataError("the predictions table is empty: nothing can be scored; check the split's test role")
    return pd.DataFrame(table)


def over_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Summarise the runs that differ in their seed only.

    The standard error stays that of one test set: more seeds do not make the test set larger.

    Args:
        runs: what :func:`score_runs` gave.

    Returns:
        One row per method, variant, selection and task: ``seeds`` (how many), ``n`` (test samples of a run),
        ``folds``, ``absent``, the mean of each metric and of ``standard_error``, and ``<metric>_std``, the sample
        standard deviation over seeds, NaN for one seed.

    Raises:
        DataError: if seeds of one method were tested on different numbers of samples.
    """
    keys = [key for key in RUN if key != "seed"]
    groups = runs.groupby(keys, sort=False)
    sizes = groups["n"].nunique()
    if (sizes > 1).any():
        where = dict(zip(keys, sizes.index[sizes > 1][0], strict=True))
        raise DataError(
            f"the seeds of {where} were tested on different numbers of samples; their mean would compare different "
            "tests: predict them all on the same split"
        )
    values = [*METRICS, "standard_error"]
    summary = groups.agg(
        seeds=("seed", "nunique"), n=("n", "first"), folds=("folds", "first"), absent=("absent", "first")
    )
    summary = summary.join(groups[values].mean()).join(groups[list(METRICS)].std(ddof=1).add_suffix("_std"))
    return summary.reset_index()
