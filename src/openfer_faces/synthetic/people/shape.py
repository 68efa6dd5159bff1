"""A person's neutral head: body mixture, individual features, common size and place."""

from dataclasses import dataclass

import numpy as np

from openfer.labels import RACES
from openfer.seeds import generator_for
from openfer_faces.synthetic.assets import HEAD_FORMS
from openfer_faces.synthetic.head import HeadModel, body_weights
from openfer_faces.synthetic.landmarks import LEFT_EYE, NOSE, RIGHT_EYE
from openfer_faces.synthetic.parts import Part
from openfer_faces.synthetic.people.traits import Traits
from openfer_faces.synthetic.template import Template

_FEATURE_DEVIATIONS = {
    **{"head": 0.13, "forehead": 0.2, "eyebrows": 0.15, "eyes": 0.15, "nose": 0.22, "mouth": 0.18},
    **{"chin": 0.20, "cheek": 0.22, "ears": 0.2, "neck": 0.1},
}
_BABY_RESTRAINT = 0.5
"""Adult feature shapes distort an infant's small face: they are halved there."""

_CHIN = 8
_BRIDGE = 27


@dataclass(frozen=True)
class HeadShape:
    """A neutral head.

    Attributes:
        vertices: in decimetres, scaled to a common face size, (V, 3), float32.
        scale: how much it was scaled; displacements of action units are scaled alike.
        rest: action units of the relaxed face, added to every expression.
    """

    vertices: np.ndarray
    scale: float
    rest: dict[str, float]


def make_shape(template: Template, seed: int, traits: Traits) -> HeadShape:
    """Draw a person's neutral head."""
    generator = generator_for(seed, "shape")
    head = template.head
    weights = _body(generator, traits) | _features(generator, head, traits)
    vertices, scale = _normalised(template, head.base + head.displacement(weights))
    _make_room_inside(template, vertices)
    rest = {"jawOpen": _closing_jaw(template, vertices, scale)}
    # the assets' old heads droop, and would be read as sad: lift the corners of mouth and brows a little
    lift = 0.22 * traits.ageing
    rest |= {"mouthSmileLeft": lift, "mouthSmileRight": lift, "browOuterUpLeft": lift, "browOuterUpRight": lift}
    return HeadShape(vertices, scale, rest)


def _body(generator: np.random.Generator, traits: Traits) -> dict[str, float]:
    mixture = np.full(len(RACES), 0.06)
    mixture[RACES.index(traits.race)] = 1
    mixture += generator.uniform(0, 0.10, len(RACES))
    blur = abs(generator.normal(0, 0.08))
    maleness = float(np.clip(blur if traits.is_female else 1 - blur, 0, 1))
    muscle, weight = generator.uniform(0.3, 0.7), generator.uniform(0.2, 0.8)
    return body_weights(maleness, traits.age_axis, mixture, muscle, weight)


def _features(generator: np.random.Generator, head: HeadModel, traits: Traits) -> dict[str, float]:
    restraint = _BABY_RESTRAINT if traits.age == "0-3" else 1.0
    weights: dict[str, float] = {}
    for low, high in head.opposites:
        area = low[0].removeprefix("local:").split("/")[0]
        amount = float(np.clip(generator.normal(0, _FEATURE_DEVIATIONS[area]), -0.5, 0.5)) * restraint
        for name in high if amount > 0 else low:
            weights[name] = weights.get(name, 0.0) + abs(amount) * (1 + generator.normal(0, 0.1))
    for form in HEAD_FORMS:
        if generator.random() < 0.25:
            weights[f"local:head/head-{form}"] = generator.uniform(0, 0.35) * restraint
    return weights


def _normalised(template: Template, vertices: np.ndarray) -> tuple[np.ndarray, float]:
    """Scale and move a head so that its face has the reference's size and place."""
    face, reference = vertices[template.landmarks], template.reference[template.landmarks]
    scale = _face_size(reference) / _face_size(face)
    centred = (vertices - face[NOSE].mean(0)) * scale + reference[NOSE].mean(0)
    return centred.astype(np.float32), float(scale)


def _face_size(points: np.ndarray) -> float:
    """Distance of the eyes plus distance from nose bridge to chin."""
    eyes = points[RIGHT_EYE].mean(0) - points[LEFT_EYE].mean(0)
    return float(np.linalg.norm(eyes) + np.linalg.norm(points[_BRIDGE] - points[_CHIN]))


def _closing_jaw(template: Template, vertices: np.ndarray, scale: float) -> float:
    """Return the jaw movement that makes the neutral lips just touch."""
    upper, lower = template.landmarks[62], template.landmarks[66]
    gap = vertices[upper, 1] - vertices[lower, 1]
    motion = template.head.offsets("unit:jawOpen")
    opening = (motion[upper, 1] - motion[lower, 1]) * scale
    return float(np.clip((0.004 - gap) / opening, -0.16, 0.05))


def _make_room_inside(template: Template, vertices: np.ndarray) -> None:
    """Pull teeth, mouth cavity and eyeballs back in place: they can poke through strong expressions."""
    head, reference = template.head, template.reference
    teeth = head.vertices_of(Part.TEETH)
    vertices[teeth, 2] -= 0.045
    vertices[teeth, 0] *= 0.86
    cavity = head.inner_vertices_of(Part.MOUTH_CAVITY)
    upper = np.clip((reference[cavity, 1] - 6.80) / 0.15, 0, 1)
    vertices[cavity, 0] *= 1 - 0.25 * upper
    vertices[cavity, 1] -= 0.10 * upper
    vertices[cavity, 2] -= 0.10 * upper
    for part in (Part.EYE_SOCKET, Part.LEFT_EYE, Part.RIGHT_EYE):
        vertices[head.inner_vertices_of(part), 2] -= 0.012
