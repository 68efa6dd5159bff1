"""Trained on one dataset, tested on another: how far a method's accuracy travels."""

from collections.abc import Sequence

import pandas as pd

from openfer.evaluation.bootstrap import bootstrap_intervals
from openfer.evaluation.predictions import classes_in, classified, runs_in

TRAINED_ON = "trained_on"
"""The column of predictions that says whose faces the model learned from."""


def own_and_elsewhere(own: pd.DataFrame, elsewhere: pd.DataFrame, trained_on: Sequence[str]) -> pd.DataFrame:
    """Return the answers of a model on its own test side and on other datasets as :func:`cross_dataset` reads them.

    Args:
        own: predictions of the main selection for one task.
        elsewhere: those of other datasets, for any tasks; the same one is taken.
        trained_on: names of datasets.
    """
    others = elsewhere[elsewhere["task"] == own["task"].iloc[0]]
    together = classified(pd.concat([own, others], ignore_index=True))
    return together.assign(**{TRAINED_ON: " + ".join(trained_on)})


def cross_dataset(predictions: pd.DataFrame, repeats: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Score every run on each dataset that it was tested on.

    Scores are over the classes that both sides have. A model may still answer a class that the test set lacks, and is
    then wrong; faces of a class that the model lacks are not in its predictions.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`, with the columns ``dataset`` and
            :data:`TRAINED_ON`, such as ``raf_db`` or ``raf_db + affectnet``.
        repeats: of the bootstrap, by person where people are known.
        seed: of its draws.

    Returns:
        One row per run, tested dataset and resampled metric: what names the run,
        then ``trained_on, tested_on, within`` (whether it trained on the dataset's other side), ``shared`` (the
        classes of both, joined by ", "), ``n, people, metric, value, low, high``.
    """
    tables = []
    for name, run in runs_in(predictions):
        classes = classes_in(run)
        for (trained, tested), part in run.groupby([TRAINED_ON, "dataset"], sort=False):
            found = set(part["y_true"])
            about = name | {
                "trained_on": trained,
                "tested_on": tested,
                "within": tested in str(trained).split(" + "),
                "shared": ", ".join(each for each in classes if each in found),
            }
            table = bootstrap_intervals(part, repeats=repeats, seed=seed).drop(columns=["by", "group"])
            tables.append(pd.concat([pd.DataFrame([about] * len(table)), table], axis=1))
    return pd.concat(tables, ignore_index=True)
