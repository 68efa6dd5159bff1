"""The leaderboard: every entry and selection, its scores, the published figure beside it, and where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation.entries import ORACLE, UNKNOWN, Entry
from openfer.evaluation.metrics import over_seeds, score_runs
from openfer.evaluation.predictions import classes_in, runs_in
from openfer.evaluation.published_rows import published_figure

TASK = "expression"
"""What the papers recognise; other tasks stand apart."""

COLUMNS = (
    *("entry", "tested", "task", "selection", "main", "accuracy", "low", "high", "macro_f1", "balanced_accuracy"),
    *("nmi", "n", "seeds", "accuracy_std", "folds", "fold_accuracy", "published", "difference", "source", "epoch"),
    *("initialisation", "data_version", "seed", "runs", "commit"),
)


def leaderboard(entries: Iterable[Entry], published: pd.DataFrame) -> pd.DataFrame:
    """Score every entry with every selection and task.

    Accuracy is the mean over seeds; its interval is Wilson's for one test set, as more seeds do not make that larger.

    Args:
        entries: from :func:`openfer.evaluation.entries.entries_of`.
        published: from :func:`openfer.evaluation.published.published_table`.

    Returns:
        :data:`COLUMNS`; shares are in [0, 1]. ``main`` says whether the selection is the entry's main one. Where the
        papers average over folds, ``difference`` is that of the mean of as many folds, and null where there are fewer.
    """
    rows = [row for entry in entries for row in _rows_of(entry, published)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def honest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose epoch was not chosen on the test set, best accuracy first, by what they were tested on."""
    kept = table[table["selection"] != ORACLE]
    return kept.sort_values(["tested", "accuracy"], ascending=[True, False], kind="stable", ignore_index=True)


def oracles(table: pd.DataFrame) -> pd.DataFrame:
    """Return the other rows in the same order."""
    kept = table[table["selection"] == ORACLE]
    return kept.sort_values(["tested", "accuracy"], ascending=[True, False], kind="stable", ignore_index=True)


def _rows_of(entry: Entry, published: pd.DataFrame) -> list[dict[str, Any]]:
    summary = over_seeds(score_runs(entry.predictions))
    balanced = _balanced(entry.predictions)
    rows = []
    for _, score in summary.iterrows():
        selection, task = str(score["selection"]), str(score["task"])
        low, high = _interval(score["accuracy"], score["n"])
        own: dict[str, Any] = {
            **{str(name): value for name, value in score.items()},
            "entry": entry.name,
            "tested": entry.tested,
            "main": selection == entry.selection,
            "low": low,
            "high": high,
            "balanced_accuracy": balanced[(selection, task)],
            "epoch": entry.said("epoch", selection),
            "initialisation": entry.said("initialisation"),
            "data_version": entry.said("data_version"),
            "seed": entry.said("seed", selection),
            "runs": entry.folders,
            "commit": commit_of(entry),
        }
        rows.append(own | _published(entry, own, published))
    return rows


def _published(entry: Entry, score: Mapping[str, Any], published: pd.DataFrame) -> dict[str, Any]:
    """Return the figure of the paper and the difference, both null where there is none or ours is another quantity."""
    nothing: dict[str, Any] = {"published": np.nan, "difference": np.nan, "source": ""}
    datasets = entry.facts["datasets"].iloc[0]
    if score["task"] != TASK or score["selection"] == ORACLE or len(datasets) != 1:
        return nothing
    figure = published_figure(published, entry.variant, datasets[0], len(classes_in(entry.main(TASK))))
    if figure is None:
        return nothing
    found: dict[str, Any] = {"published": figure.accuracy, "source": figure.source}
    if figure.folds > 1:
        complete = score["folds"] == figure.folds
        return found | {"difference": score["fold_accuracy"] - figure.accuracy if complete else np.nan}
    return found | {"difference": score["accuracy"] - figure.accuracy}


def commit_of(entry: Entry) -> str:
    """Return the git commits of an entry's runs, twelve digits each; one of a changed checkout is marked."""
    codes: Iterable[object] = entry.facts.get("code", ())
    words = [
        f"{code['commit'][:12]}{' + changes' if code['state'] == 'changed' else ''}" if "commit" in code else UNKNOWN
        for code in codes
        if isinstance(code, dict)
    ]
    return ", ".join(dict.fromkeys(words)) or UNKNOWN


def _balanced(predictions: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the mean recall of the classes that the test set shows, by selection and task, over seeds."""
    from sklearn.metrics import recall_score

    found: dict[tuple[str, str], list[float]] = {}
    for name, run in runs_in(predictions):
        shown = pd.Index(run["y_true"].unique())
        # numbers: scikit-learn sorts words many times over; an answer that is no true class is -1
        true, predicted = (shown.get_indexer(run[column]) for column in ("y_true", "y_pred"))
        value = recall_score(true, predicted, labels=range(len(shown)), average="macro", zero_division=0)
        found.setdefault((name["selection"], name["task"]), []).append(float(value))
    return {key: float(np.mean(values)) for key, values in found.items()}


def _interval(accuracy: float, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    interval = binomtest(round(accuracy * n), int(n)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def tested_on(table: pd.DataFrame) -> Sequence[str]:
    """Return what the rows of a leaderboard were tested on, in its order."""
    return list(dict.fromkeys(table["tested"]))
