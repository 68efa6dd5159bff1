"""All metrics in one place. A new metric is one entry of :data:`METRICS`: every table, interval and study reads it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.calibration import BINS, bin_of, calibration_error, confidences
from openfer.evaluation.predictions import classified
from openfer.evaluation.stability import stability
from openfer.labels import AFFECT

Needs = Literal["classes", "probabilities", "samples", "values", "sequences"]
"""The input of a formula: counts by class; also confidences; single answers; valence and arousal; video frames."""

RESAMPLED: tuple[Needs, ...] = ("classes", "probabilities")
"""A metric with these needs has an interval, for the whole test set and for each group."""

OF_FACES: tuple[Needs, ...] = (*RESAMPLED, "samples")
"""A metric with these needs scores every run that recognises classes."""

_AFF_WILD2_WEIGHTS = (0.33, 0.67)


@dataclass(frozen=True)
class Answers:
    """The input of a formula.

    Counts have the shape (..., K) for K classes. Leading axes are groups and resamples, which one call scores together.

    Attributes:
        true: faces by true class.
        predicted: faces by predicted class.
        right: correctly classified faces by class.
        gaps: sum of (correct - confidence) by confidence bin, (..., bins).
        table: predictions of one run; empty for resamples.
        rows: rows of the datasets (:data:`openfer.schemas.ROWS`), for metrics of sequences; else empty.
    """

    true: np.ndarray
    predicted: np.ndarray
    right: np.ndarray
    gaps: np.ndarray
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def of_sums(cls, sums: np.ndarray, classes: int, **tables: pd.DataFrame) -> Self:
        """Return the answers from sums of :func:`contributions`, (..., 3 K + bins), and from ``table`` and ``rows``."""
        true, predicted, right, gaps = np.split(sums, [classes, 2 * classes, 3 * classes], axis=-1)
        return cls(true, predicted, right, gaps, **tables)

    @classmethod
    def of_run(cls, run: pd.DataFrame, classes: Sequence[str], rows: pd.DataFrame | None = None) -> Self:
        """Return the answers of one run; counts leave out the faces without a class. Raises like contributions()."""
        places, amounts = contributions(classified(run), classes)
        sums = np.bincount(places.ravel(), amounts.ravel(), 3 * len(classes) + BINS)
        return cls.of_sums(sums, len(classes), table=run, rows=pd.DataFrame() if rows is None else rows)

    @property
    def n(self) -> np.ndarray:
        """Number of faces, (...)."""
        return self.true.sum(axis=-1)


def contributions(predictions: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the 3 K + bins sums each face adds to, and how much, both (4, N).

    The sums are, in this order, the counts and gaps of :class:`Answers`.

    Raises:
        DataError: if a label is not one of the classes, or a predicted class has no probability.
    """
    names, kinds = pd.Index(classes), len(classes)
    true, predicted = (names.get_indexer(pd.Index(predictions[column])) for column in ("y_true", "y_pred"))
    unknown = sorted({*predictions["y_true"][true < 0], *predictions["y_pred"][predicted < 0]})
    if unknown:
        raise DataError(
            f"the predictions have the labels {unknown}, which are not among the classes {list(classes)}; score them "
            "with the classes that the run was trained with"
        )
    sure, ones = confidences(predictions, classes), np.ones(len(predictions))
    right = (true == predicted).astype(np.float64)
    places = np.stack([true, kinds + predicted, 2 * kinds + true, 3 * kinds + bin_of(sure)])
    return places, np.stack([ones, ones, right, right - sure])


@dataclass(frozen=True)
class Metric:
    """One way to score a run.

    Attributes:
        name: column of tables, and name in a study's parameters.
        title: name in headings, without unit.
        formula: returns the score of :class:`Answers`: (...) where the metric is resampled, else one number.
        needs: input of the formula.
        source: where the formula is defined.
        unit: of a printed number. A formula returns a share in [0, 1] where the unit is ``%``.
        higher_is_better: False where 0 is best.
        printed: names of this metric in the papers' tables.
        dimension: ``valence`` or ``arousal``, for a metric of values.
        only_on: the one dataset that defines this metric; other datasets leave it out.
        in_terminal: whether the table in the terminal, which is narrow, has a column for it.
        as_share: whether the report prints a share, although papers print per cent.
    """

    name: str
    title: str
    formula: Callable[[Answers], Any]
    needs: Needs
    source: str
    unit: str = ""
    higher_is_better: bool = True
    printed: tuple[str, ...] = ()
    dimension: str | None = None
    only_on: str | None = None
    in_terminal: bool = True
    as_share: bool = False

    def of(self, answers: Answers) -> Any:
        """Return the score; NaN where there is nothing to score."""
        with np.errstate(invalid="ignore", divide="ignore"):  # a class or a group without faces is 0 / 0
            return self.formula(answers)

    @property
    def scale(self) -> int:
        """Factor between the formula's number and the printed one."""
        return 100 if self.unit == "%" else 1

    @property
    def in_per_cent(self) -> bool:
        """Whether the report prints it in per cent."""
        return self.unit == "%" and not self.as_share

    @property
    def heading(self) -> str:
        """Title with dimension and unit, for a column of the report."""
        return f"{self.dimension or ''} {self.title}{' %' if self.in_per_cent else ''}".lstrip()


def named(*needs: Needs) -> tuple[str, ...]:
    """Return the names of the metrics with one of these needs, in the order of the registry."""
    return tuple(name for name, metric in METRICS.items() if metric.needs in needs)


def rated(predictions: pd.DataFrame, dimension: str) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted values of the faces that have a true one, float64, each (N,)."""
    pairs = predictions[[f"{dimension}_true", f"{dimension}_pred"]].dropna().to_numpy(dtype=np.float64)
    return pairs[:, 0], pairs[:, 1]


def concordance(true: np.ndarray, predicted: np.ndarray) -> float:
    """Return Lin's concordance correlation coefficient, in [-1, 1]; 0 where one side does not vary.

    Variances and covariance are divided by n - 1. The trainer divides by n, to choose an epoch.
    """
    if np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return 0.0
    (own, both), (_, other) = np.cov(true, predicted)
    return float(2 * both / (own + other + (true.mean() - predicted.mean()) ** 2))


def root_mean_square_error(true: np.ndarray, predicted: np.ndarray) -> float:
    """Return the root of the mean squared difference."""
    return float(np.sqrt(np.mean((true - predicted) ** 2)))


def _accuracy(answers: Answers) -> np.ndarray:
    return answers.right.sum(axis=-1) / answers.n


def _fold_accuracy(answers: Answers) -> float:
    faces = classified(answers.table)
    return float((faces["y_true"] == faces["y_pred"]).groupby(faces["fold"].to_numpy()).mean().mean())


def _macro_f1(answers: Answers) -> np.ndarray:
    return _mean_over_classes(answers, 2 * answers.right / (answers.true + answers.predicted))


def _mean_over_classes(answers: Answers, values: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that the test set shows."""
    shown = answers.true > 0
    return np.where(shown, values, 0).sum(axis=-1) / shown.sum(axis=-1)


def _aff_wild2_score(answers: Answers) -> np.ndarray:
    of_accuracy, of_f1 = _AFF_WILD2_WEIGHTS
    return of_accuracy * _accuracy(answers) + of_f1 * _macro_f1(answers)


def _nmi(answers: Answers) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    faces = classified(answers.table)
    # scikit-learn sorts numbers much faster than words
    return float(normalized_mutual_info_score(*(pd.factorize(faces[column])[0] for column in ("y_true", "y_pred"))))


def _of_values(dimension: str, measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[Answers], float]:
    def formula(answers: Answers) -> float:
        true, predicted = rated(answers.table, dimension)
        return measure(true, predicted) if len(true) else float("nan")

    return formula


def _of_sequences(column: str) -> Callable[[Answers], float]:
    return lambda answers: float(stability(answers.table, answers.rows)[column].sum())


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "accuracy", "accuracy", _accuracy, "classes", "pooled over all faces of all folds", "%",
            printed=("accuracy", "average accuracy"),
        ),
        Metric(
            "fold_accuracy", "mean of folds", _fold_accuracy, "samples",
            "mean of the folds' accuracies, as papers with cross-validation print it", "%",
            printed=("accuracy", "average accuracy"),
        ),
        Metric(
            "balanced_accuracy", "balanced", lambda answers: _mean_over_classes(answers, answers.right / answers.true),
            "classes", "mean recall over the classes that the test set shows", "%", in_terminal=False,
        ),
        Metric(
            "macro_f1", "macro-F1", _macro_f1, "classes", "mean F1 over the classes that the test set shows", "%",
            printed=("F1",),
        ),
        Metric(
            "aff_wild2_score", "Aff-Wild2 score", _aff_wild2_score, "classes",
            "0.33 accuracy + 0.67 macro-F1 (Kollias et al., ABAW 2020)", "%", printed=("overall 0.33*acc+0.67*F1",),
            only_on="aff_wild2", in_terminal=False, as_share=True,
        ),
        Metric(
            "nmi", "NMI", _nmi, "samples",
            "normalised mutual information of true and predicted classes, arithmetic mean of the entropies; it is not "
            "resampled, as few samples make it far too high", printed=("NMI",),
        ),
        Metric(
            "calibration_error", "calibration error", lambda answers: calibration_error(answers.gaps, answers.n),
            "probabilities", f"expected calibration error in {BINS} bins (Guo et al., 2017, Eq. 3)",
            higher_is_better=False, in_terminal=False,
        ),
        *(
            Metric(
                f"{dimension}_{title.lower()}", title, _of_values(dimension, measure), "values", source,
                higher_is_better=title == "CCC", printed=(title,), dimension=dimension,
            )
            for title, measure, source in (
                ("CCC", concordance, "Lin, 1989 (ADDL, Table 14)"), ("RMSE", root_mean_square_error, "ADDL, Table 14"),
            )
            for dimension in AFFECT
        ),
        *(
            Metric(
                name, title, _of_sequences(name), "sequences", "SNA, Table VII", "sequences", higher_is_better=False,
                printed=(f"{title} (mean of 5 runs)",),
            )
            for name, title in (("fc", "FC"), ("cfc", "CFC"))
        ),
    )
}  # fmt: skip
"""By name, in the order of tables."""
