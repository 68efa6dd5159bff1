"""The pipeline `landmarks`: render -> train -> calibrate -> evidence; then the points of the dataset asked for."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.in_use import asked_dataset
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.landmarks import nodes

_SET = "synthetic_landmarks"
_SIZES, _TRAINING, _CHOICE = "params:landmarks.faces", "params:landmarks.heatmap", "params:landmarks.use"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline that learns landmarks and finds them on the dataset named by ``dataset``."""
    dataset = asked_dataset()
    return data_pipeline([dataset]) + learn_pipeline() + find_pipeline(dataset)


def learn_pipeline() -> Pipeline:
    """Return the part from scenes to a calibrated, measured landmarker."""
    rendered = [f"{_SET}_scenes", f"{_SET}_faces"]
    return Pipeline(
        [
            node(nodes.plan, _SIZES, f"{_SET}_scenes", name="plan", namespace=_SET),
            node(
                nodes.render,
                [f"{_SET}_scenes", _SIZES, f"{_SET}.work"],
                f"{_SET}_faces",
                name="render",
                namespace=_SET,
            ),
            node(
                nodes.train,
                [_TRAINING, *rendered, "landmarks.work"],
                ["landmarks.network", "landmarks_history"],
                name="train",
                namespace="landmarks",
            ),
            node(
                nodes.calibrate,
                [_CHOICE, _TRAINING, "landmarks.network", *rendered],
                "landmarks_model",
                name="calibrate",
                namespace="landmarks",
            ),
            node(
                nodes.measure,
                [_CHOICE, _TRAINING, "landmarks_model", *rendered],
                ["landmarks.evidence", "landmarks.picture"],
                name="measure",
                namespace="landmarks",
            ),
        ]
    )


def find_pipeline(dataset: str) -> Pipeline:
    """Return the part that finds points on a dataset's faces."""
    return Pipeline(
        [
            node(
                nodes.find,
                [_CHOICE, "landmarks_model", f"{dataset}_faces"],
                f"{dataset}_landmarks",
                name="find",
                namespace=dataset,
            )
        ]
    )
