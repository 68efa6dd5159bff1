"""The pipeline `landmarks`: render -> train -> calibrate -> evidence; then the points of the dataset asked for."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.landmarks import nodes
from openfer.pipelines.planned import current_plan
from openfer.pipelines.space import Space

_SET = "synthetic_landmarks"
_SIZES, _TRAINING, _CHOICE = "params:landmarks.faces", "params:landmarks.heatmap", "params:landmarks.use"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline that learns landmarks and finds them on the dataset named by ``dataset``."""
    plan = current_plan()
    return data_pipeline([plan.dataset], plan.datasets) + learn_pipeline() + find_pipeline(plan.dataset)


def learn_pipeline() -> Pipeline:
    """Return the part from scenes to a calibrated, measured landmarker."""
    faces, space = Space(_SET), Space("landmarks")
    rendered = [f"{_SET}_scenes", f"{_SET}_faces"]
    network, model = space.own("network"), "landmarks_model"
    evidence = [space.own("evidence_table"), space.own("points_image")]
    return Pipeline(
        [
            faces(nodes.plan, _SIZES, rendered[0], "plan"),
            faces(nodes.render, [rendered[0], _SIZES, faces.own("work")], rendered[1], "render"),
            space(nodes.train, [_TRAINING, *rendered, space.own("work")], [network, "landmarks_history"], "train"),
            space(nodes.calibrate, [_CHOICE, _TRAINING, network, *rendered], model, "calibrate"),
            space(nodes.measure, [_CHOICE, _TRAINING, model, *rendered], evidence, "measure"),
        ]
    )


def find_pipeline(dataset: str) -> Pipeline:
    """Return the part that finds points on a dataset's faces."""
    inputs = [_CHOICE, "landmarks_model", f"{dataset}_faces"]
    return Pipeline([Space(dataset)(nodes.find, inputs, f"{dataset}_landmarks", "find")])
