"""The node that writes down where a trained method looks."""

from typing import Any

import pandas as pd

from openfer.io.face import Face, encode
from openfer.pipelines.method_nodes import Models, main_model, restore
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.shown_faces import some_of_each_class
from openfer.pipelines.training_data import faces_for, sources_of, tested_role

_FACES = 8
"""Of one dataset: one face of each expression, and as many columns of a figure."""


def grad_cam(run: MethodRun, models: Models, *tables: Any) -> pd.DataFrame:
    """Return Grad-CAM maps of the main selection for a few tested faces of every class.

    The faces depend on the datasets alone, so that methods which share them can be put beside each other.

    Returns:
        Valid under :data:`openfer.schemas.GRAD_CAM`.
    """
    from openfer.training.grad_cam import grad_cam as looked_at

    checkpoint = main_model(models)
    method = restore(run, checkpoint)
    data = sources_of(run, tables)
    role = tested_role(data)
    shown = some_of_each_class(data, role, _FACES)
    faces = faces_for(shown, role, method.classes, run.images, run.seed)
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
                    "method": run.method,
                    "variant": run.row(method.variant),
                    "selection": checkpoint.facts["selection"],
                    "seed": run.seed,
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
