"""The leaderboard: every entry and selection, its scores, the published figure beside it, and where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation.bootstrap import intervals, mean_of_runs, resample, subjects
from openfer.evaluation.entries import ORACLE, UNKNOWN, Entry
from openfer.evaluation.metrics import METRICS, OF_FACES, named
from openfer.evaluation.predictions import classes_in, runs_in
from openfer.evaluation.published_rows import published_figure
from openfer.evaluation.scores import summarise
from openfer.io.git import NOT_A_CHECKOUT

TASK = "expression"
"""What the papers recognise; other tasks stand apart."""

_FIRST = ("entry", "tested", "task", "selection", "main")
_LAST = (
    *("low", "high", "n", "people", "seeds", "accuracy_std", "folds"),
    *("published", "difference", "source", "epoch", "initialisation", "data_version", "seed", "runs", "made_by"),
    "commit",
)


def leaderboard(entries: Iterable[Entry], published: pd.DataFrame) -> pd.DataFrame:
    """Score every entry with every selection and task; all seeds and folds of an entry are one line.

    Scores are those of :func:`openfer.evaluation.scores.summarise`. The interval of the accuracy comes from resampling
    the people of the test set (its faces, where no person is known), the same ones for all seeds, so more seeds do not
    make it narrower than the test set allows.

    Args:
        entries: from :func:`openfer.evaluation.entries.entries_of`.
        published: from :func:`openfer.evaluation.published.published_table`.

    Returns:
        ``entry, tested, task, selection, main``, one column per metric of faces, and the columns ``low`` to ``commit``.
        Shares are in [0, 1]. ``low`` and ``high`` bound the accuracy. ``main`` says whether the selection is the
        entry's main one. Where the papers average over folds, ``difference`` is that of the mean of as many folds, and
        null where there are fewer. ``people`` is null where nobody is known, and a metric that one dataset defines
        where another was tested.
    """
    rows = [row | _interval(entry, row) for entry in entries for row in scored(entry, published)]
    return pd.DataFrame(rows, columns=[*_FIRST, *named(*OF_FACES), *_LAST])


def honest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose epoch was not chosen on the test set, best accuracy first, by what they were tested on."""
    return _ranked(table[table["selection"] != ORACLE])


def oracles(table: pd.DataFrame) -> pd.DataFrame:
    """Return the other rows in the same order."""
    return _ranked(table[table["selection"] == ORACLE])


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["tested", "accuracy"], ascending=[True, False], kind="stable", ignore_index=True)


def scored(entry: Entry, published: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of :func:`leaderboard` of one entry, without the intervals."""
    summary = summarise(entry.predictions)
    datasets, rows = entry.facts["datasets"].iloc[0], []
    elsewhere = [name for name, metric in METRICS.items() if metric.only_on and datasets != [metric.only_on]]
    for _, score in summary[summary["n"] > 0].iterrows():
        selection = str(score["selection"])
        own: dict[str, Any] = {
            **{str(name): value for name, value in score.items()},
            "entry": entry.name,
            "tested": entry.tested,
            "main": selection == entry.selection,
            "epoch": entry.said("epoch", selection),
            "initialisation": entry.said("initialisation"),
            "data_version": entry.said("data_version"),
            "seed": entry.said("seed", selection),
            "runs": entry.folders,
            "made_by": entry.made_by,
            "commit": commit_of(entry),
            **dict.fromkeys(elsewhere, np.nan),
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
        f"{code['commit'][:12]}{' + changes' if code['state'] == 'changed' else ''}"
        if code.get("commit", NOT_A_CHECKOUT) != NOT_A_CHECKOUT
        else UNKNOWN
        for code in codes
        if isinstance(code, dict)
    ]
    return ", ".join(dict.fromkeys(words)) or UNKNOWN


def _interval(entry: Entry, row: Mapping[str, Any]) -> dict[str, float]:
    answers = entry.predictions
    own = answers[(answers["selection"] == row["selection"]) & (answers["task"] == row["task"])]
    seeds = [run for _, run in runs_in(own)]
    bounds = intervals(mean_of_runs([resample(run) for run in seeds]))
    whole = bounds[bounds["metric"] == "accuracy"].iloc[0]
    people = float(whole["people"]) if subjects(seeds[0]) is not None else np.nan
    return {"low": float(whole["low"]), "high": float(whole["high"]), "people": people}


def tested_on(table: pd.DataFrame) -> Sequence[str]:
    """Return what the rows of a leaderboard were tested on, in its order."""
    return list(dict.fromkeys(table["tested"]))
