"""Nodes of methods with several branches: how alike they become, and where each of them looks."""

from typing import Any

import numpy as np
import pandas as pd

from openfer.pipelines.method_nodes import Models, main_model, restore
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.shown_faces import some_of_each_class
from openfer.pipelines.training_data import faces_for, sources_of, tested_role

_FACES = 7


def similarity(run: MethodRun, models: Models, *tables: Any) -> pd.DataFrame:
    """Return how alike every two learners of a trained method are, mean over the validation faces."""
    from openfer.methods.esr import ESR
    from openfer.methods.manet import MANet
    from openfer.training.predict import collect_named

    method = restore(run, main_model(models))
    assert isinstance(method, ESR | MANet)
    faces = faces_for(sources_of(run, tables), "val", method.classes, run.images, run.seed)
    rows = []
    for kind, of_faces in collect_named(method, method.similarities, faces, run.training).items():
        matrix = of_faces.mean(0)
        for one, other in zip(*np.triu_indices(len(matrix), k=1), strict=True):
            rows.append((kind, one + 1, other + 1, float(matrix[one, other]), len(faces)))
    return pd.DataFrame(rows, columns=["kind", "one", "other", "similarity", "n"])


def similarity_figure(history: pd.DataFrame) -> Any:
    """Return a matplotlib figure of the learners' pairwise similarity over training."""
    from openfer.evaluation.figures import similarity_picture

    return similarity_picture(history)


def attention_figure(run: MethodRun, models: Models, *tables: Any) -> Any:
    """Return a matplotlib figure of tested faces of every class with each map of the prediction over them."""
    from openfer.evaluation.figures import branch_attention_sheet
    from openfer.training.predict import collect_named, predict

    method = restore(run, main_model(models))
    data = sources_of(run, tables)
    role = tested_role(data)
    faces = faces_for(some_of_each_class(data, role, _FACES), role, method.classes, run.images, run.seed)
    maps = collect_named(method, lambda images: method(images).maps, faces, run.training)
    guesses = predict(method, faces, run.training).probabilities["expression"].argmax(1)
    images = np.stack([faces[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(faces))])
    classes = method.classes["expression"]
    true = [classes[label] for label in faces.labels["expression"]]
    return branch_attention_sheet(images, maps, true, [classes[guess] for guess in guesses])
