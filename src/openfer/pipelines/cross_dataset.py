"""Predictions of datasets that a run does not train on."""

from typing import Any

import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.pipelines.predicting import predict
from openfer.pipelines.sources import Source, Sources
from openfer.pipelines.trained import Models, main_model
from openfer.runs.settings import RunSettings


def predict_elsewhere(run: RunSettings, models: Models, sources: Sources) -> pd.DataFrame:
    """Predict the test sides of ``test_datasets`` with the main selection.

    All folds of such a dataset are tested, as none of its faces has trained. Faces of a class that the model does not
    know are left out.

    Args:
        run: the settings of the run.
        models: by selection.
        sources: the training datasets and the test datasets, by name.

    Returns:
        Valid under :data:`openfer.schemas.PREDICTIONS`.

    Raises:
        ParameterError: if the model, or a prerequisite of it, learned from one of these datasets.
        DataError: if a tested face has trained under another name, or no tested face has a class that the model knows.
    """
    model = main_model(models)
    known = sorted(set(model.facts.get("learned_from", run.datasets)) & set(run.test_datasets))
    if known:
        raise ParameterError(
            f"{run.method}.test_datasets names {', '.join(known)}, but {run.method}, or a prerequisite of it, learned "
            "from it; take it out of test_datasets: its own test side is in the results already"
        )
    tables = []
    for name in run.test_datasets:
        source = sources[name]
        side = _test_side(source.split)
        for trained in run.datasets:
            own = sources[trained]
            learned = own.split.loc[(own.split["fold"] == run.fold) & (own.split["role"] != "test"), "sample_id"]
            _refuse_trained(name, _contents(source.store, side["sample_id"]), trained, _contents(own.store, learned))
        answerable = source.rows.assign(
            **{
                task: source.rows[task].where(source.rows[task].isin(classes))
                for task, classes in model.facts["classes"].items()
                if task in source.rows
            }
        )
        there = run.model_copy(update={"datasets": (name,), "fold": 0})
        tested = {name: Source(answerable, source.store, side, extras=source.extras)}
        found = predict(there, {model.facts["selection"]: lambda: model}, tested)[0]
        if found.empty:
            shown = ", ".join(sorted(set(source.rows["expression"].dropna()))) or "no labels"
            raise DataError(
                f"no tested face of {name} has a class that {run.method} knows, it has {shown}; take it out "
                f"of {run.method}.test_datasets"
            )
        tables.append(found)
    return pd.concat(tables, ignore_index=True)


def _test_side(split: pd.DataFrame) -> pd.DataFrame:
    """Return the test samples of all folds as one fold; the validation samples of a split without any."""
    role = "test" if (split["role"] == "test").any() else "val"
    tested = split.loc[split["role"] == role, ["sample_id"]].drop_duplicates()
    return tested.assign(fold=0, role="test").reset_index(drop=True)


def _contents(store: Any, sample_ids: pd.Series) -> pd.Series:
    """Return the sample id of each content, by its SHA-256."""
    table = store.table(["sample_id", "sha256"])
    chosen = table[table["sample_id"].isin(sample_ids)]
    return chosen.set_index("sha256")["sample_id"]


def _refuse_trained(tested: str, side: pd.Series, trained: str, learned: pd.Series) -> None:
    shared = side[side.index.isin(learned.index) | side.isin(learned)]
    if len(shared):
        raise DataError(
            f"{len(shared)} tested faces of {tested} are faces of {trained} that the model learned from, the first "
            f"{shared.iloc[0]}; a score on them is not a score on unseen faces: take {tested} out of "
            "test_datasets, or take these faces out of its test side"
        )
