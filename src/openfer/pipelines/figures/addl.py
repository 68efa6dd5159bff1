"""Importance weights (ADDL, Fig. 6) and attentive feature maps (ADDL, Fig. 5)."""

from typing import Any

import numpy as np
import pandas as pd

from openfer.pipelines.figures.shown_faces import some_of_each_class
from openfer.pipelines.sources import Sources
from openfer.pipelines.trained import Models, load_trained
from openfer.runs.settings import RunSettings

_FACES = 14


def importance(run: RunSettings, models: Models, sources: Sources) -> pd.DataFrame:
    """Return mean, spread and n of each factor's importance weight over the training faces (Fig. 6).

    ``learned`` is False for a row with equal weights, which are constant. A row that fuses no factor has no weight.
    """
    from openfer.methods.addl import ADDL
    from openfer.training.predict import collect

    trained = load_trained(run, models, sources)
    method = trained.method
    assert isinstance(method, ADDL)
    faces = trained.faces("train")
    weights = collect(method, method.importance, faces, run.training)
    columns = {"factor": method.factors, "mean": weights.mean(0), "std": weights.std(0, ddof=1), "n": len(weights)}
    return pd.DataFrame(columns).assign(learned=method.config.learns_importance)


def importance_figure(table: pd.DataFrame) -> Any:
    """Return the bar chart of that table."""
    from openfer.evaluation.figures import importance_picture

    return importance_picture(table)


def attention(run: RunSettings, models: Models, sources: Sources) -> Any:
    """Return a matplotlib figure of test faces of every class with their attentive feature maps over them (Fig. 5)."""
    from openfer.evaluation.figures import attention_sheet
    from openfer.training.predict import collect, predict

    trained = load_trained(run, models, sources)
    method = trained.method
    faces = trained.faces(shown=some_of_each_class(trained.data, trained.role, _FACES))
    guesses = predict(method, faces, run.training).probabilities["expression"].argmax(1)
    maps = collect(method, lambda images: method(images).maps["attentive"][:, 0], faces, run.training)
    images = np.stack([faces[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(faces))])
    names = method.classes["expression"]
    true = [names[label] for label in faces.labels["expression"]]
    return attention_sheet(images, maps, true, [names[guess] for guess in guesses])
