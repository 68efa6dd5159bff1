"""Grad-CAM maps of a trained run."""

import pandas as pd

from openfer.io.face import Face, encode
from openfer.pipelines.figures.shown_faces import some_of_each_class
from openfer.pipelines.sources import Sources
from openfer.pipelines.trained import Models, load_trained
from openfer.runs.settings import RunSettings

_FACES = 8
"""Of one dataset: one face of each expression, and as many columns of a figure."""


def grad_cam(run: RunSettings, models: Models, sources: Sources) -> pd.DataFrame:
    """Return Grad-CAM maps of the main selection for a few tested faces of every class.

    The faces depend on the datasets alone, so that methods which share them can be put beside each other.

    Returns:
        Valid under :data:`openfer.schemas.GRAD_CAM`.
    """
    from openfer.training.grad_cam import grad_cam as looked_at

    trained = load_trained(run, models, sources)
    method = trained.method
    faces = trained.faces(shown=some_of_each_class(trained.data, trained.role, _FACES))
    pixels = (faces[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(faces)))
    images = [encode(Face(name, own)).content for name, own in zip(faces.sample_ids, pixels, strict=True)]
    rows = []
    for task, seen in looked_at(method, faces, run.training).items():
        names = method.classes[task]
        for i, sample_id in enumerate(faces.sample_ids):
            label = int(faces.labels[task][i])
            rows.append(
                {
                    "sample_id": sample_id,
                    **trained.names,
                    "task": task,
                    "y_true": names[label] if label >= 0 else None,
                    "y_pred": names[seen.predicted[i]],
                    "image": images[i],
                    "rows": seen.of_predicted.shape[1],
                    "columns": seen.of_predicted.shape[2],
                    "of_predicted": seen.of_predicted[i].ravel(),
                    "of_true": seen.of_true[i].ravel() if label >= 0 else None,
                }
            )
    return pd.DataFrame(rows)
