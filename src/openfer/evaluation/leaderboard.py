"""The leaderboard: every entry and selection, its scores, the published figure beside it, and where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation.bootstrap import intervals, mean_of_runs, resample, subjects
from openfer.evaluation.conditions import Measured
from openfer.evaluation.entries import ORACLE, UNKNOWN, Entry
from openfer.evaluation.metrics import METRICS, OF_FACES, named
from openfer.evaluation.predictions import classes_in, runs_in
from openfer.evaluation.published_rows import NOTHING_PUBLISHED, nearest, own_figures
from openfer.evaluation.scores import summarise
from openfer.io.git import NOT_A_CHECKOUT

TASK = "expression"
"""What the papers recognise; other tasks stand apart."""

_FIRST = ("entry", "tested", "task", "selection", "main")
_LAST = (
    *("low", "high", "n", "people", "seeds", "accuracy_std", "folds"),
    *(
        "published",
        "difference",
        "source",
        "differs",
        "epoch",
        "initialisation",
        "data_version",
        "seed",
        "runs",
        "made_by",
    ),
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
        entry's main one. ``published`` is the paper's figure where dataset, classes, partition, folds and n agree
        (:class:`openfer.evaluation.conditions.Conditions`); else it is null, and ``differs`` says the figure and what
        differs. Where the papers average over folds, ``difference`` is that of the mean of folds. ``people`` is null
        where nobody is known, and a metric that one dataset defines where another was tested.
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
    nothing = dict(NOTHING_PUBLISHED)
    if score["task"] != TASK or score["selection"] == ORACLE:
        return nothing
    ours = measured(entry, score)
    figure = nearest(own_figures(published, entry.method, entry.variant), ours)
    if figure is None:
        return nothing
    accuracy = score["fold_accuracy"] if ours.folds > 1 else score["accuracy"]
    found = figure.beside(100 * accuracy, ours)
    return found | {name: found[name] / 100 for name in ("published", "difference")}


def measured(entry: Entry, score: Mapping[str, Any]) -> Measured:
    """Return what a row of an entry was measured on.

    Args:
        entry: runs of one configuration.
        score: the row, with ``n`` and ``folds``.
    """
    faces = entry.facts["tested_faces"].iloc[0] if "tested_faces" in entry.facts else None
    datasets = entry.facts["datasets"].iloc[0]
    own = entry.predictions
    tested = own["dataset"].unique() if "dataset" in own else datasets
    classes = len(classes_in(entry.main(TASK)))
    return Measured.of_run(datasets, tested, faces, classes=classes, folds=int(score["folds"]), n=int(score["n"]))


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
