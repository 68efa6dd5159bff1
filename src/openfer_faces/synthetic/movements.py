"""The movements of a scene's face: prototypes of expressions, or everyday ones."""

from openfer.seeds import generator_for
from openfer_faces.synthetic.everyday import everyday_units
from openfer_faces.synthetic.expressions import Units, action_units

EVERYDAY = "everyday"
"""The manner of a scene whose face moves as :mod:`~openfer_faces.synthetic.everyday` says."""


def units_of_scene(expression: str, intensity: float, seed: int, manner: str | None) -> Units:
    """Return the action units of a scene; see :class:`~openfer_faces.synthetic.scene.description.Scene`."""
    draw = everyday_units if manner == EVERYDAY else action_units
    return draw(expression, intensity, generator_for(seed, "expression"))
