"""The pipeline `predict`: `openfer predict` on one folder, with its table in the catalog."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.code_version import watches
from openfer.pipelines.predict import nodes
from openfer.pipelines.space import Space

_FOLDER = "params:predict.folder"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline; it runs again when files of the folder change."""
    space = Space("predict")
    inputs = [_FOLDER, "params:predict", space.own("work")]
    return Pipeline([space(watches(nodes.predict, _FOLDER), inputs, space.own("faces"), "predict")])
