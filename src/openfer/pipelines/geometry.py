"""Blendshapes, mesh and head pose of a dataset's faces; beside any pipeline that makes the faces."""

from pathlib import Path

import pandas as pd
from kedro.pipeline import Pipeline

from openfer.io.face_store import FaceStore
from openfer.pipelines.bound import bound
from openfer.pipelines.space import Space


def measure_geometry(name: str, faces: FaceStore, work: Path) -> pd.DataFrame:
    """Measure every face and its mirror image; a killed run goes on from its finished parts.

    Returns:
        One row per face, in the order of the store, valid under :data:`openfer.schemas.GEOMETRY`.
    """
    from openfer.faces.mediapipe.measure_set import measure_set

    return measure_set(faces, work, name)


def geometry_pipeline(dataset: str) -> Pipeline:
    """Return the part that measures a dataset's faces and makes ``<dataset>_geometry``."""
    inputs = [f"{dataset}_faces", f"{dataset}.geometry.work"]
    return Pipeline(
        [Space(dataset)(bound(measure_geometry, dataset), inputs, f"{dataset}_geometry", "measure_geometry")]
    )
