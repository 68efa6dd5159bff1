"""The head model: a base mesh plus weighted shapes, and MakeHuman's rule for gender, age and race."""

from collections.abc import Mapping
from itertools import product

import numpy as np

from openfer.labels import RACES
from openfer_faces.synthetic.assets import LIFE_STAGES, MUSCLES, WEIGHTS, HeadAssets
from openfer_faces.synthetic.parts import Part


class HeadModel:
    """A head that can be given any mixture of the assets' shapes.

    Args:
        assets: the parsed assets.
    """

    def __init__(self, assets: HeadAssets) -> None:
        self.base = assets.vertices
        self.triangles = assets.triangles
        self.parts = assets.parts
        self.opposites = _read_opposites(assets.opposites)
        self._offsets = assets.offsets.astype(np.float32)
        self._index = {str(name): row for row, name in enumerate(assets.names)}
        self._vertices = {part: np.unique(self.triangles[self.parts == part]) for part in Part}

    def offsets(self, name: str) -> np.ndarray:
        """Return one shape's offsets, (V, 3), float32."""
        return self._offsets[self._index[name]]

    def displacement(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the weighted sum of shapes, (V, 3), float32, added in the mapping's order.

        A plain loop, and no matrix product: its result does not depend on the number of threads.
        """
        total = np.zeros_like(self.base)
        term = np.empty_like(self.base)
        for name, weight in weights.items():
            np.multiply(self._offsets[self._index[name]], np.float32(weight), out=term)
            total += term
        return total

    def vertices_of(self, part: Part) -> np.ndarray:
        """Return the vertices of a part, sorted."""
        return self._vertices[part]

    def inner_vertices_of(self, part: Part) -> np.ndarray:
        """Return the vertices of a part that it does not share with the skin."""
        return np.setdiff1d(self._vertices[part], self._vertices[Part.SKIN], assume_unique=True)


def body_weights(
    maleness: float, age: float, races: np.ndarray, muscle: float = 0.5, weight: float = 0.5
) -> dict[str, float]:
    """Return the shape weights of a body by MakeHuman's product rule.

    Args:
        maleness: 0 female to 1 male.
        age: 0 baby, 1/3 child, 2/3 young adult, 1 old.
        races: mixture over :data:`~openfer.labels.RACES`, shape (3,); it is normalised.
        muscle: 0 to 1.
        weight: 0 to 1.

    Returns:
        Weights of ``race:`` and ``body:`` shapes; zero weights are left out.
    """
    genders = {"female": 1 - maleness, "male": maleness}
    stages = dict(zip(LIFE_STAGES, _hat_weights(age, len(LIFE_STAGES)), strict=True))
    muscles = dict(zip(MUSCLES, _hat_weights(muscle, len(MUSCLES)), strict=True))
    weights = dict(zip(WEIGHTS, _hat_weights(weight, len(WEIGHTS)), strict=True))
    shares = dict(zip(RACES, races / races.sum(), strict=True))
    mixture = {}
    for gender, stage in product(genders, stages):
        share = genders[gender] * stages[stage]
        for race in RACES:
            mixture[f"race:{race}-{gender}-{stage}"] = share * shares[race]
        for build, fatness in product(MUSCLES, WEIGHTS):
            mixture[f"body:{gender}-{stage}-{build}-{fatness}"] = share * muscles[build] * weights[fatness]
    return {name: float(value) for name, value in mixture.items() if value > 0}


def _hat_weights(position: float, anchors: int) -> np.ndarray:
    """Weights of linear interpolation at ``position`` in [0, 1] between evenly spaced anchors."""
    scaled = np.clip(position, 0, 1) * (anchors - 1)
    return np.maximum(0, 1 - np.abs(np.arange(anchors) - scaled))


def _read_opposites(pairs: np.ndarray) -> list[tuple[list[str], list[str]]]:
    """Turn "a+b|c+d" into the two lists of shape names."""
    read = []
    for pair in pairs:
        low, high = ([f"local:{name}" for name in end.split("+")] for end in str(pair).split("|"))
        read.append((low, high))
    return read
