"""What the renderer knows of every face and the rows hide: all six factors and the movements of the face."""

import numpy as np
import pandas as pd

from openfer.labels import ACTION_UNITS
from openfer.schemas import TRUTHS
from openfer_faces.synthetic.expressions import Units
from openfer_faces.synthetic.movements import units_of_scene
from openfer_faces.synthetic.sets import labelled_by

YAW_EDGES = (-10.0, 10.0)
LIGHT_EDGES = (-30.0, 30.0)
"""Degrees to the person's left; a bound belongs to the class above.

With the default spread of 20 degrees three viewpoints hold 31, 38 and 31 % of the faces; of hard lights each
direction holds a third, which at the default share is 13 % of all faces, and soft light 60 %.
"""

_VIEWPOINTS = ("from the right", "frontal", "from the left")
_LIGHTS = ("hard, from the right", "hard, frontal", "hard, from the left")
_SOFT = "soft"


def truths(name: str, scenes: pd.DataFrame) -> pd.DataFrame:
    """Return person, expression, all six disturbing factors, the occluder and the action units of each face.

    Pose and illumination of photographs are continuous and become few classes: where the camera stands, to the
    person's right or left by more than 10 degrees; whether the key light outshines its surroundings, and then from
    where. A set that labels them itself keeps its own classes.

    Args:
        name: one of :data:`openfer_faces.synthetic.sets.SETS`.
        scenes: the set's scenes from :func:`openfer_faces.synthetic.sets.plan`.

    Returns:
        Valid under :data:`openfer.schemas.TRUTHS`, in the scenes' order.
    """
    named = labelled_by(name)
    table = scenes.assign(identity=scenes["person"], person=name + "/" + scenes["person"])
    if "pose" not in named:
        table["pose"] = _binned(scenes["yaw"], YAW_EDGES, _VIEWPOINTS)
    if "illumination" not in named:
        directions = _binned(scenes["light_yaw"], LIGHT_EDGES, _LIGHTS)
        table["illumination"] = np.where(scenes["light_key"] > scenes["light_ambient"], directions, _SOFT)
    drawn = zip(scenes["expression"], scenes["intensity"], scenes["seed"], scenes["manner"], strict=True)
    weights = [
        _weights(units_of_scene(expression, float(strength), int(seed), manner))
        for expression, strength, seed, manner in drawn
    ]
    table["action_units"] = pd.Series(weights, table.index, dtype=object)
    return TRUTHS.validate(table[list(TRUTHS.columns)])


def _weights(units: Units) -> np.ndarray:
    """Return a weight for each of :data:`openfer.labels.ACTION_UNITS`, (51,)."""
    return np.array([units.get(name, 0.0) for name in ACTION_UNITS])


def _binned(values: pd.Series, edges: tuple[float, ...], names: tuple[str, ...]) -> np.ndarray:
    return np.array(names, dtype=object)[np.digitize(values.to_numpy(), edges)]
