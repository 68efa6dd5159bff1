"""Nodes of what only ADDL has: importance weights (Fig. 6) and attentive feature maps (Fig. 5)."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.pipelines.method_nodes import Models, main_model, restore
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.training_data import faces_for, sources

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FACES_SHOWN = 16


def importance(run: MethodRun, models: Models, *tables: Any) -> pd.DataFrame:
    """Return mean, spread and n of each factor's importance weight over the training faces (Fig. 6)."""
    from openfer.training.predict import apply

    method = restore(run, main_model(models))
    faces = faces_for(sources(tables), "train", method.classes, run.images, run.seed)
    weights = apply(method, method.importance, faces, run.training)  # type: ignore[arg-type]
    return pd.DataFrame(
        {"factor": method.factors, "mean": weights.mean(0), "std": weights.std(0), "n": len(weights)}
    )


def importance_figures(table: pd.DataFrame) -> tuple[Any, "Figure"]:
    """Return the bar chart, interactive and as a picture."""
    from openfer.evaluation.figures import importance_picture, importance_plot

    return importance_plot(table), importance_picture(table)


def attention(run: MethodRun, models: Models, *tables: Any) -> "Figure":
    """Return test faces with their attentive feature maps over them (Fig. 5)."""
    from openfer.evaluation.figures import attention_sheet
    from openfer.training.predict import predict

    method = restore(run, main_model(models))
    faces = faces_for(sources(tables), "test", method.classes, run.images, run.seed)
    names = method.classes["expression"]
    labels = faces.labels["expression"]
    shown = np.concatenate([np.flatnonzero(labels == k)[: -(-_FACES_SHOWN // len(names))] for k in range(len(names))])
    chosen = faces.subset(shown)
    predicted = predict(method, chosen, run.training)
    guesses = predicted.probabilities["expression"].argmax(1)
    images = np.stack([chosen[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(shown))])
    true = [names[k] for k in labels[shown]]
    return attention_sheet(images, predicted.maps["attentive"][:, 0], true, [names[k] for k in guesses])
