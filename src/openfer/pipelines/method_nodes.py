"""The nodes of every method's pipeline around its training: what it is shown, and what it predicts."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.io.checkpoint import Checkpoint
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.training_data import faces_for, sources_of, tested_role

if TYPE_CHECKING:
    from openfer.methods.contract import Classes, Method
    from openfer.nn.initialisation import MatchReport

# Kedro reads the annotations of nodes when it checks parameters, so the names in them are really imported.
REPORTED = (
    *("method", "variant", "selection", "main_selection", "seed", "epoch", "epochs", "initialisation"),
    *("initialisation_sha256", "datasets", "fold", "data_version", "n_train", "label_noise", "licences_of_data"),
    *("licences_of_weights", "origin_of_weights", "config", "images", "sampling", "mask", "plan", "threads", "code"),
)
"""What of a checkpoint's facts goes with its predictions: all that a ledger of runs needs."""

_SHOWN_FACES, _SHOWN_EPOCHS = 6, 7

Models = Mapping[str, Callable[[], Checkpoint]]
"""Checkpoints by selection, loaded when called."""


def predict(run: MethodRun, models: Models, *inputs: Any) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, Any]]]:
    """Predict the test faces, or the validation faces of a dataset without any, with every selection.

    Returns:
        The predictions; the main selection's features; what is known of the run, one mapping per selection.
    """
    from openfer.evaluation.predictions import features_table, predictions_table
    from openfer.training.predict import predict as predict_faces

    data = sources_of(run, inputs)
    role = tested_role(data)
    tables, facts, features = [], [], []
    for selection, load in models.items():
        checkpoint = load()
        method = restore(run, checkpoint)
        targets = method.declared.regression_targets
        faces = faces_for(data, role, method.classes, run.images, run.seed, regression_targets=targets)
        predicted = predict_faces(method, faces, run.training)
        dataset = np.repeat(run.datasets, [len(part) for part in faces.parts])
        rated = np.array([~np.isnan(values) for values in faces.targets.values()]).any(axis=0)
        subject = pd.concat([source.role(role)["subject"] for source in data]).to_numpy(dtype=object)
        for task, names in method.classes.items():
            known = faces.labels[task] >= 0
            if checkpoint.facts["main_selection"]:
                true = [names[label] for label in faces.labels[task][known]]
                features.append(features_table(faces.sample_ids[known].tolist(), predicted.features[known], true))
            answered = known | rated
            values = {name: (faces.targets[name][answered], own[answered]) for name, own in predicted.values.items()}
            tables.append(
                predictions_table(
                    faces.sample_ids[answered].tolist(),
                    predicted.probabilities[task][answered],
                    names,
                    [names[label] if label >= 0 else None for label in faces.labels[task][answered]],
                    fold=run.fold,
                    seed=run.seed,
                    method=run.method,
                    variant=run.row(method.variant),
                    selection=selection,
                    task=task,
                    values=values,
                ).assign(dataset=dataset[answered], subject=subject[answered])
            )
        facts.append(_facts(checkpoint, role) | {"variant": run.row(method.variant)})
    return pd.concat(tables, ignore_index=True), features[0], facts  # those labelled for the first task


def augmented(run: MethodRun, *tables: Any) -> Any:
    """Return a picture of training faces: as they are tested, and as some epochs see them."""
    from openfer.io.contact_sheet import contact_sheet

    data = sources_of(run, tables)
    plain, changed = (faces_for(data, "train", {}, run.images, run.seed, augmented=a) for a in (False, True))
    rows = np.linspace(0, len(plain) - 1, min(_SHOWN_FACES, len(plain)), dtype=int).tolist()
    views = [("as tested", plain, 0), *((f"epoch {epoch + 1}", changed, epoch) for epoch in range(_SHOWN_EPOCHS))]
    images = [faces[epoch, row][0].numpy().transpose(1, 2, 0) for row in rows for _, faces, epoch in views]
    return contact_sheet(images, [caption for _ in rows for caption, _, _ in views], columns=len(views), cell=112)


def main_model(models: Models) -> Checkpoint:
    """Return the checkpoint of a run's main selection; those behind it are not loaded."""
    checkpoints = (load() for load in models.values())
    return next(checkpoint for checkpoint in checkpoints if checkpoint.facts["main_selection"])


def fresh(
    run: MethodRun,
    classes: "Classes",
    needed: Mapping[str, Checkpoint] | None = None,
    pretraining: Checkpoint | None = None,
) -> "tuple[Method, MatchReport]":
    """Build a method with the weights that its training begins with; they depend on the run and the classes alone.

    Args:
        run: its parameters.
        classes: class names by task.
        needed: the models of its prerequisites; None for a method that is not to be trained.
        pretraining: its model, where the backbone starts from it.

    Returns:
        The method; how its backbone was initialised.
    """
    import torch

    from openfer.methods.registry import build
    from openfer.nn.initialisation import initialise
    from openfer.seeds import seed_for

    torch.manual_seed(seed_for(run.seed, "weights"))
    method = build(run.method, run.settings, classes, needed)
    return method, initialise(method.backbone(), run.initialisation, pretraining)


def restore(run: MethodRun, checkpoint: Checkpoint) -> "Method":
    """Build a trained method for prediction."""
    from openfer.methods.registry import build

    method = build(run.method, run.settings, {k: tuple(v) for k, v in checkpoint.facts["classes"].items()})
    method.load_own_state(checkpoint.tensors)
    return method.eval()


def _facts(checkpoint: Checkpoint, role: str) -> dict[str, Any]:
    return {name: checkpoint.facts[name] for name in REPORTED} | {"tested_on": role}
