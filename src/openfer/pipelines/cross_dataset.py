"""What a method has beside the template where it is tested on datasets that it does not train on."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.errors import DataError, ParameterError
from openfer.pipelines import evaluation_nodes
from openfer.pipelines.in_use import datasets_elsewhere
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.method_nodes import Models, main_model, predict
from openfer.pipelines.method_run import MethodRun


def cross_pipeline(name: str, own: Sequence[str], others: Sequence[str]) -> Pipeline:
    """Return the predictions of other datasets' test sides and the matrix of them; nothing if there are none.

    Args:
        name: the registered method.
        own: the catalog names of the tables that it trains on.
        others: those of the datasets that it is tested on beside its own.
    """
    if not others:
        return Pipeline([])
    made = [f"{name}_predictions", f"{name}_facts", f"{name}_elsewhere"]
    return data_pipeline(datasets_elsewhere(name)) + Pipeline(
        [
            node(
                runs(predict_elsewhere, f"openfer.methods.{name}"),
                [f"params:{name}", f"{name}_models", *own, *others],
                f"{name}_elsewhere",
                name="predict_elsewhere",
                namespace=name,
            ),
            node(evaluation_nodes.cross_dataset, made, f"{name}.cross_dataset", name="cross_dataset", namespace=name),
            node(
                evaluation_nodes.cross_dataset_figure,
                f"{name}.cross_dataset",
                f"{name}.cross_dataset_picture",
                name="cross_dataset_figure",
                namespace=name,
            ),
        ]
    )


def predict_elsewhere(run: MethodRun, models: Models, *inputs: Any) -> pd.DataFrame:
    """Predict the test sides of the datasets of ``tested_on`` with the main selection.

    All folds of such a dataset are tested, as none of its faces has trained. Faces of a class that the model does not
    know are left out.

    Args:
        run: the method's parameters.
        models: by selection.
        *inputs: rows, faces, split and extras of each dataset that trained, then of each in ``tested_on``.

    Returns:
        Valid under :data:`openfer.schemas.PREDICTIONS`.

    Raises:
        ParameterError: if the model, or what it started from, learned from one of these datasets.
        DataError: if a tested face has trained under another name, or no tested face has a class that the model knows.
    """
    model = main_model(models)
    each = len(inputs) // (len(run.datasets) + len(run.tested_on))
    parts = [inputs[start : start + each] for start in range(0, len(inputs), each)]
    own, others = parts[: len(run.datasets)], parts[len(run.datasets) :]
    known = sorted(set(model.facts.get("learned_from", run.datasets)) & set(run.tested_on))
    if known:
        raise ParameterError(
            f"{run.method}.tested_on names {', '.join(known)}, but {run.method}, or what it started from, learned from "
            "it; take it out of tested_on: its own test side is in the results already"
        )
    tables = []
    for name, (rows, store, split, *extras) in zip(run.tested_on, others, strict=True):
        side = _test_side(split)
        for trained, (_, own_store, own_split, *_) in zip(run.datasets, own, strict=True):
            learned = own_split.loc[(own_split["fold"] == run.fold) & (own_split["role"] != "test"), "sample_id"]
            _refuse_trained(name, _contents(store, side["sample_id"]), trained, _contents(own_store, learned))
        answerable = rows.assign(
            **{
                task: rows[task].where(rows[task].isin(classes))
                for task, classes in model.facts["classes"].items()
                if task in rows
            }
        )
        there = run.model_copy(update={"datasets": (name,), "fold": 0})
        found = predict(there, {model.facts["selection"]: lambda: model}, answerable, store, side, *extras)[0]
        if found.empty:
            shown = ", ".join(sorted(set(rows["expression"].dropna()))) or "no labels"
            raise DataError(
                f"no tested face of {name} has a class that {run.method} knows, it has {shown}; take it out "
                f"of {run.method}.tested_on"
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
            f"{shared.iloc[0]}; a score on them would not be one of unseen faces: take {tested} out of tested_on, or "
            f"take these faces out of its test side"
        )
