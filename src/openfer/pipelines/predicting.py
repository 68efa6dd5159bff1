"""The nodes of every run around its training: what it is shown, and what it predicts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.io.checkpoint import Checkpoint
from openfer.labels import EXPRESSIONS
from openfer.pipelines.sources import Sources, faces_for, sources_of, with_tested_sides
from openfer.pipelines.trained import Models, Trained, restore
from openfer.runs.settings import RunSettings

if TYPE_CHECKING:
    from openfer.training.predict import Predicted

# Kedro reads the annotations of nodes when it checks parameters, so the names in them are really imported.
REPORTED = (
    *("method", "variant", "selection", "main_selection", "seed", "epoch", "epochs", "initialisation"),
    *("initialisation_sha256", "datasets", "fold", "data_version", "n_train", "label_noise", "licences_of_data"),
    *("licences_of_weights", "origin_of_weights", "config", "images", "sampling", "mask", "plan", "threads", "code"),
)
"""The facts of a checkpoint that go with its predictions: all that a ledger of runs needs."""

_SHOWN_FACES, _SHOWN_EPOCHS = 6, 7


def predict_run(
    slug: str, run: RunSettings, models: Models, sources: Sources, readers: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, Any]]]:
    """Return what :func:`predict` does, with the run's identity in each row of the predictions and in the facts.

    Args:
        slug: of the run.
        run: its settings.
        models: its checkpoints by selection.
        sources: its datasets by name.
        readers: the readers of those datasets that have one, by name.
    """
    predictions, features, facts = predict(run, models, sources)
    more = {"run": slug, "tested_faces": _tested_faces(predictions, sources, readers)}
    return predictions.assign(run=slug), features, [fact | more for fact in facts]


def predict(
    run: RunSettings, models: Models, sources: Sources
) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, Any]]]:
    """Predict the test faces, or the validation faces of datasets without any, with every selection.

    Returns:
        The predictions; the main selection's features, of faces labelled for the first task; the facts of the run, one
        mapping per selection.
    """
    from openfer.evaluation.predictions import features_table
    from openfer.training.predict import predict as predict_faces

    data, tested = with_tested_sides(sources_of(run, sources))
    tables, facts = [], []
    for load in models.values():
        checkpoint = load()
        trained = Trained(run, checkpoint, restore(run, checkpoint), data)
        faces = trained.faces()
        predicted = predict_faces(trained.method, faces, run.training)
        tables += _tables(trained, faces, predicted)
        if checkpoint.facts["main_selection"]:
            task, names = next(iter(trained.method.classes.items()))
            known = faces.labels[task] >= 0
            true = [names[label] for label in faces.labels[task][known]]
            features = features_table(faces.sample_ids[known].tolist(), predicted.features[known], true)
        facts.append(_facts(run, checkpoint, tested))
    return pd.concat(tables, ignore_index=True), features, facts


def _tables(trained: Trained, faces: Any, predicted: "Predicted") -> list[pd.DataFrame]:
    """Return one table a task: the faces with a label for it, and those with values to regress."""
    from openfer.evaluation.predictions import predictions_table

    dataset = np.repeat(trained.run.datasets, [len(part) for part in faces.parts])
    rated = np.array([~np.isnan(values) for values in faces.targets.values()]).any(axis=0)
    subject = pd.concat([source.role(trained.role)["subject"] for source in trained.data]).to_numpy(dtype=object)
    tables = []
    for task, names in trained.method.classes.items():
        answered = (faces.labels[task] >= 0) | rated
        values = {name: (faces.targets[name][answered], own[answered]) for name, own in predicted.values.items()}
        table = predictions_table(
            faces.sample_ids[answered].tolist(),
            predicted.probabilities[task][answered],
            names,
            [names[label] if label >= 0 else None for label in faces.labels[task][answered]],
            fold=trained.run.fold,
            task=task,
            values=values,
            **trained.names,
        )
        tables.append(table.assign(dataset=dataset[answered], subject=subject[answered]))
    return tables


def _tested_faces(predictions: pd.DataFrame, sources: Sources, readers: Mapping[str, str]) -> dict[str, Any]:
    """Return the reader and the publisher's partitions of the tested faces, by dataset."""
    found = {}
    for name, own in predictions.groupby("dataset", sort=False):
        rows = sources[str(name)].rows
        partitions = rows.loc[rows["sample_id"].isin(own["sample_id"]), "partition"].dropna().astype(str).unique()
        found[str(name)] = {"reader": readers.get(str(name), str(name)), "partitions": sorted(partitions)}
    return found


def augmented(run: RunSettings, sources: Sources) -> Any:
    """Return a picture of training faces, one of each expression: as tested, and as some epochs show them.

    Without labels of expressions the faces are spread over the training set (FDRL-ECANet, Fig. 5).
    """
    from openfer.io.contact_sheet import contact_sheet

    data = sources_of(run, sources)
    plain, changed = (faces_for(data, "train", {}, run.images, run.seed, augmented=a) for a in (False, True))
    shown = _one_of_each(pd.concat([source.role("train")["expression"] for source in data], ignore_index=True))
    views = [("as tested", plain, 0), *((f"epoch {epoch + 1}", changed, epoch) for epoch in range(_SHOWN_EPOCHS))]
    images = [faces[epoch, row][0].numpy().transpose(1, 2, 0) for row in shown for _, faces, epoch in views]
    captions = [f"{name} {view}".lstrip() for name in shown.values() for view, _, _ in views]
    return contact_sheet(images, captions, columns=len(views), cell=112)


def _one_of_each(expressions: pd.Series) -> dict[int, str]:
    """Return the row of one face of each expression with its name; without labels, of faces spread over all rows."""
    found = {int(own.index[len(own) // 2]): str(name) for name, own in expressions.groupby(expressions.astype(object))}
    if not found:
        spread = np.linspace(0, len(expressions) - 1, min(_SHOWN_FACES, len(expressions)), dtype=int)
        return dict.fromkeys(spread.tolist(), "")
    return {row: found[row] for row in sorted(found, key=lambda row: EXPRESSIONS.index(found[row]))}


def _facts(run: RunSettings, checkpoint: Checkpoint, role: str) -> dict[str, Any]:
    known = {name: checkpoint.facts[name] for name in REPORTED}
    return known | {"variant": run.row, "config": run.settings.model_dump(mode="json"), "tested_on": role}
