"""The pipeline `landmarks`: 68 points of the dataset asked for, by a landmarker that is made first if it has to be."""

from typing import Any

from kedro.pipeline import Pipeline
from pydantic import ValidationError

from openfer.errors import ParameterError
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.landmarks import nodes
from openfer.pipelines.planned import current_plan
from openfer.pipelines.space import Space
from openfer.runs.words import in_words
from openfer_faces.landmarks.settings import LandmarkerChoice

_SET = "synthetic_landmarks"
_SIZES, _TRAINING, _CHOICE = "params:landmarks.faces", "params:landmarks.heatmap", "params:landmarks.use"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline that finds landmarks on the dataset named by ``dataset``.

    Raises:
        ParameterError: if ``landmarks.use`` is not valid.
    """
    plan = current_plan()
    return data_pipeline([plan.dataset], plan.datasets) + landmarks_pipeline(
        plan.dataset, _choice(plan.parameters["landmarks"]["use"])
    )


def landmarks_pipeline(dataset: str, choice: LandmarkerChoice) -> Pipeline:
    """Return the part that finds points on a dataset's faces, after one that makes what the landmarkers need.

    Args:
        dataset: the name.
        choice: the landmarker in use, and those that are measured beside it. One that nothing is calibrated for needs
            no rendered faces, and only the regressor needs training.
    """
    made = _made(regressor="heatmap" in choice.names) if choice.calibrated else Pipeline([])
    faces, table = f"{dataset}_faces", f"{dataset}_landmarks"
    if choice.landmarker in choice.calibrated:
        return made + Pipeline([Space(dataset)(nodes.find, [_CHOICE, "landmarks_model", faces], table, "find")])
    return made + Pipeline([Space(dataset)(nodes.find_without_model, [_CHOICE, faces], table, "find")])


def _made(*, regressor: bool) -> Pipeline:
    """Return the part from scenes to calibrated, measured landmarkers: render -> train -> calibrate -> evidence."""
    faces, space = Space(_SET), Space("landmarks")
    rendered = [f"{_SET}_scenes", f"{_SET}_faces"]
    network, model = space.own("network"), "landmarks_model"
    evidence = [space.own("evidence_table"), space.own("points_image")]
    fitted = (
        [
            space(nodes.train, [_TRAINING, *rendered, space.own("work")], [network, "landmarks_history"], "train"),
            space(nodes.calibrate, [_CHOICE, _TRAINING, network, *rendered], model, "calibrate"),
        ]
        if regressor
        else [space(nodes.calibrate_without_regressor, [_CHOICE, _TRAINING, *rendered], model, "calibrate")]
    )
    return Pipeline(
        [
            faces(nodes.plan, _SIZES, rendered[0], "plan"),
            faces(nodes.render, [rendered[0], _SIZES, faces.own("work")], rendered[1], "render"),
            *fitted,
            space(nodes.measure, [_CHOICE, _TRAINING, model, *rendered], evidence, "measure"),
        ]
    )


def _choice(block: Any) -> LandmarkerChoice:
    try:
        return LandmarkerChoice.model_validate(block)
    except ValidationError as error:
        raise ParameterError(in_words("landmarks.use", error)) from error
