"""Nodes of what only ADDL has: importance weights (Fig. 6) and attentive feature maps (Fig. 5)."""

from typing import Any

import numpy as np
import pandas as pd

from openfer.pipelines.method_nodes import Models, main_model, restore
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.shown_faces import some_of_each_class
from openfer.pipelines.training_data import faces_for, sources_of

_FACES = 14


def importance(run: MethodRun, models: Models, *tables: Any) -> pd.DataFrame:
    """Return mean, spread and n of each factor's importance weight over the training faces (Fig. 6).

    ``learned`` tells weights of the SA layer from equal ones, which are constant; a row that fuses no factor has none.
    """
    from openfer.methods.addl import ADDL
    from openfer.training.predict import collect

    method = restore(run, main_model(models))
    assert isinstance(method, ADDL)
    faces = faces_for(sources_of(run, tables), "train", method.classes, run.images, run.seed)
    weights = collect(method, method.importance, faces, run.training)
    columns = {"factor": method.factors, "mean": weights.mean(0), "std": weights.std(0, ddof=1), "n": len(weights)}
    return pd.DataFrame(columns).assign(learned=method.config.learns_importance)


def importance_figures(table: pd.DataFrame) -> tuple[Any, Any]:
    """Return the bar chart of plotly and of matplotlib."""
    from openfer.evaluation.figures import importance_picture, importance_plot

    return importance_plot(table), importance_picture(table)


def attention(run: MethodRun, models: Models, *tables: Any) -> Any:
    """Return a matplotlib figure of test faces of every class with their attentive feature maps over them (Fig. 5)."""
    from openfer.evaluation.figures import attention_sheet
    from openfer.training.predict import collect, predict

    method = restore(run, main_model(models))
    shown = some_of_each_class(sources_of(run, tables), "test", _FACES)
    faces = faces_for(shown, "test", method.classes, run.images, run.seed)
    guesses = predict(method, faces, run.training).probabilities["expression"].argmax(1)
    maps = collect(method, lambda images: method(images).maps["attentive"][:, 0], faces, run.training)
    images = np.stack([faces[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(faces))])
    names = method.classes["expression"]
    true = [names[label] for label in faces.labels["expression"]]
    return attention_sheet(images, maps, true, [names[guess] for guess in guesses])
