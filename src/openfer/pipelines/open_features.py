"""Features of a dataset's faces from an openly licensed network; beside any pipeline that makes the faces."""

import pandas as pd
from kedro.pipeline import Pipeline

from openfer.io.face_store import FaceStore
from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.pipelines.space import Space


def measure_open_features(settings: OpenFeaturesSettings, faces: FaceStore) -> pd.DataFrame:
    """Measure every face and its mirror image.

    Returns:
        One row per face, in the order of the store, valid under :data:`openfer.schemas.OPEN_FEATURES`.
    """
    from openfer.training.open_features import open_features

    found = open_features(settings, faces)
    columns = {"features": [*found[:, 0]], "mirrored_features": [*found[:, 1]]}
    return pd.DataFrame({"sample_id": faces.sample_ids, **columns})


def open_features_pipeline(dataset: str) -> Pipeline:
    """Return the part that measures a dataset's faces and makes ``<dataset>_open_features``."""
    inputs = ["params:open_features", f"{dataset}_faces"]
    output = f"{dataset}_open_features"
    return Pipeline([Space(dataset)(measure_open_features, inputs, output, "measure_open_features")])
