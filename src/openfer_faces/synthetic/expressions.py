"""Eight expressions as named facial action units (ARKit names), each in a few prototypical variants.

The FACS units that each expression is known for stand beside it. ``*`` stands for both sides.
"""

from collections.abc import Mapping

import numpy as np

from openfer.labels import EXPRESSIONS

Units = dict[str, float]

PROTOTYPES: dict[str, tuple[Units, ...]] = {
    "neutral": ({},),
    "happiness": (  # FACS 6 + 12 (+ 25)
        {
            **{"mouthSmile*": 1.0, "cheekSquint*": 0.9, "eyeSquint*": 0.35, "mouthUpperUp*": 0.55},
            **{"mouthDimple*": 0.2, "mouthLowerDown*": 0.25, "jawOpen": 0.04},
        },
        {
            **{"mouthSmile*": 1.05, "cheekSquint*": 1.0, "eyeSquint*": 0.45, "mouthUpperUp*": 0.5},
            **{"jawOpen": 0.25, "mouthLowerDown*": 0.25},
        },
        {"mouthSmile*": 0.85, "cheekSquint*": 0.6, "eyeSquint*": 0.25, "mouthDimple*": 0.35, "mouthPress*": 0.1},
    ),
    "sadness": (  # FACS 1 + 4 + 15 (+ 17)
        {
            **{"browInnerUp": 1.1, "browDown*": 0.45, "mouthFrown*": 1.0, "mouthShrugLower": 0.7},
            **{"eyeLookDown*": 0.45, "eyeBlink*": 0.18, "cheekSquint*": 0.15},
        },
        {
            **{"browInnerUp": 1.0, "browDown*": 0.3, "mouthFrown*": 0.8, "mouthShrugLower": 0.4},
            **{"mouthRollLower": 0.25, "eyeBlink*": 0.3, "eyeLookDown*": 0.7, "mouthPress*": 0.3},
        },
        {
            **{"browInnerUp": 1.2, "browDown*": 0.5, "mouthFrown*": 0.9, "mouthShrugLower": 0.5},
            **{"mouthStretch*": 0.3, "jawOpen": 0.08, "eyeSquint*": 0.4},
        },
    ),
    "surprise": (  # FACS 1 + 2 + 5 + 26 or 27
        {"browInnerUp": 1.0, "browOuterUp*": 1.1, "eyeWide*": 1.0, "jawOpen": 0.55, "mouthFunnel": 0.15},
        {"browInnerUp": 0.9, "browOuterUp*": 1.0, "eyeWide*": 0.9, "jawOpen": 0.35, "mouthFunnel": 0.35},
        {"browInnerUp": 1.0, "browOuterUp*": 1.0, "eyeWide*": 1.1, "jawOpen": 0.75},
    ),
    "fear": (  # FACS 1 + 2 + 4 + 5 + 7 + 20 + 26
        {
            **{"browInnerUp": 1.15, "browOuterUp*": 0.35, "browDown*": 0.55, "eyeWide*": 1.2},
            **{"mouthStretch*": 1.0, "jawOpen": 0.22, "mouthLowerDown*": 0.55},
        },
        {
            **{"browInnerUp": 1.1, "browOuterUp*": 0.4, "browDown*": 0.4, "eyeWide*": 1.2, "mouthStretch*": 0.9},
            **{"jawOpen": 0.10, "mouthLowerDown*": 0.8, "mouthFrown*": 0.2},
        },
        {
            **{"browInnerUp": 1.2, "browOuterUp*": 0.3, "browDown*": 0.5, "eyeWide*": 1.1},
            **{"mouthStretch*": 1.1, "jawOpen": 0.38, "mouthLowerDown*": 0.3},
        },
    ),
    "disgust": (  # FACS 9 + 10 + 17 (+ 4 + 7)
        {
            **{"noseSneer*": 1.2, "mouthUpperUp*": 0.7, "browDown*": 0.7, "eyeSquint*": 0.7},
            **{"cheekSquint*": 0.7, "mouthShrugLower": 0.4, "mouthFrown*": 0.35},
        },
        {
            **{"noseSneer*": 1.2, "mouthUpperUp*": 1.0, "browDown*": 0.5, "eyeSquint*": 0.6},
            **{"cheekSquint*": 0.6, "jawOpen": 0.12, "mouthLowerDown*": 0.25, "mouthFrown*": 0.2},
        },
        {
            **{"noseSneer*": 1.1, "mouthUpperUp*": 0.5, "browDown*": 0.6, "eyeSquint*": 0.8, "cheekSquint*": 0.8},
            **{"mouthShrugUpper": 0.5, "mouthShrugLower": 0.6, "mouthFrown*": 0.5},
        },
    ),
    "anger": (  # FACS 4 + 5 + 7 + 23 or 24
        {
            **{"browDown*": 1.7, "eyeSquint*": 0.35, "eyeWide*": 0.55, "noseSneer*": 0.5, "mouthPress*": 0.9},
            **{"mouthRollUpper": 0.6, "mouthRollLower": 0.6, "jawForward": 0.5, "mouthFrown*": 0.75},
            **{"mouthShrugLower": 0.3},
        },
        {
            **{"browDown*": 1.6, "eyeWide*": 0.5, "eyeSquint*": 0.2, "noseSneer*": 0.5, "mouthUpperUp*": 0.45},
            **{"mouthLowerDown*": 0.9, "mouthStretch*": 0.35, "jawOpen": 0.10, "jawForward": 0.4},
        },
        {
            **{"browDown*": 1.65, "eyeSquint*": 0.6, "noseSneer*": 0.5, "mouthPress*": 1.0},
            **{"mouthRollLower": 0.65, "mouthFrown*": 0.6, "mouthShrugLower": 0.4, "jawForward": 0.45},
        },
    ),
    "contempt": (  # unilateral FACS 12 + 14; mirrored half of the time
        {
            **{"mouthSmileLeft": 0.62, "mouthDimpleLeft": 1.0, "mouthPressLeft": 0.5, "mouthPressRight": 0.3},
            **{"mouthUpperUpLeft": 0.15, "cheekSquintLeft": 0.3, "mouthLeft": 0.12, "browOuterUpLeft": 0.35},
            **{"eyeSquintLeft": 0.25, "eyeSquintRight": 0.2},
        },
        {
            **{"mouthSmileLeft": 0.5, "mouthDimpleLeft": 0.9, "mouthUpperUpLeft": 0.4, "noseSneerLeft": 0.3},
            **{"mouthLeft": 0.15, "browDownRight": 0.35, "browOuterUpLeft": 0.5, "eyeSquintLeft": 0.2},
            **{"eyeSquintRight": 0.3},
        },
        {
            **{"mouthSmileLeft": 0.7, "mouthDimpleLeft": 0.8, "mouthPressLeft": 0.6, "mouthPressRight": 0.3},
            **{"eyeBlinkLeft": 0.12, "eyeBlinkRight": 0.15, "cheekSquintLeft": 0.25},
        },
    ),
}
"""Variants of each expression."""

_IDLE = {
    **{"browInnerUp": 0.05, "browDown*": 0.05, "browOuterUp*": 0.05, "mouthPress*": 0.05, "mouthSmile*": 0.08},
    **{"mouthFrown*": 0.03, "eyeSquint*": 0.05, "eyeWide*": 0.05, "eyeBlink*": 0.05, "mouthShrugLower": 0.05},
    **{"jawOpen": 0.02},
}
"""Deviation of the small movements that every face makes."""


def both_sides(units: Units) -> Units:
    """Replace each ``name*`` by ``nameLeft`` and ``nameRight``."""
    expanded: Units = {}
    for name, weight in units.items():
        sides = ("Left", "Right") if name.endswith("*") else ("",)
        expanded |= {name.removesuffix("*") + side: weight for side in sides}
    return expanded


def mirrored(units: Units) -> Units:
    """Exchange left and right."""
    exchange = {"Left": "Right", "Right": "Left"}
    swapped = {}
    for name, weight in units.items():
        side = next((side for side in exchange if name.endswith(side)), "")
        swapped[name.removesuffix(side) + exchange.get(side, "")] = weight
    return swapped


def action_units(expression: str, intensity: float, generator: np.random.Generator) -> Units:
    """Draw one face's action units: a variant of the expression, with individual and idle variation.

    Args:
        expression: one of :data:`~openfer.labels.EXPRESSIONS`.
        intensity: strength of the expression; 1 is full, 0 leaves only idle movement.
        generator: draws variant, asymmetry, jitter, idle movement and gaze.

    Returns:
        Unit weights by ARKit name, non-negative.

    Raises:
        ValueError: if the expression is unknown.
    """
    units = draw_variant(expression, PROTOTYPES, generator)
    asymmetry = generator.normal(0, 0.06)
    jitter: dict[str, float] = {}
    drawn = {}
    for name, weight in units.items():
        stem = name.removesuffix("Left").removesuffix("Right")
        if stem not in jitter:
            jitter[stem] = generator.normal(1, 0.15)
        side = asymmetry * (name.endswith("Left") - name.endswith("Right"))
        drawn[name] = max(0.0, float(weight * intensity * (1 + side) * jitter[stem]))
    for stem, deviation in _IDLE.items():
        add_units(drawn, both_sides({stem: abs(generator.normal(0, deviation))}))
    add_units(drawn, gaze(generator.normal(0, 0.15), generator.normal(0, 0.12)))
    return drawn


def draw_variant(expression: str, variants: Mapping[str, tuple[Units, ...]], generator: np.random.Generator) -> Units:
    """Return the units of both sides of one of an expression's variants; contempt is on either side.

    Raises:
        ValueError: if the expression is unknown.
    """
    if expression not in variants:
        raise ValueError(f"unknown expression {expression!r}; the names are {', '.join(EXPRESSIONS)}")
    of_it = variants[expression]
    units = both_sides(of_it[generator.integers(len(of_it))])
    return mirrored(units) if expression == "contempt" and generator.random() < 0.5 else units


def add_units(units: Units, more: Units) -> None:
    """Add weights to those of the same name, in place."""
    for name, weight in more.items():
        units[name] = units.get(name, 0.0) + weight


def gaze(left: float, up: float) -> Units:
    """Turn both eyes to the person's left and up; negative values are right and down."""
    if left > 0:
        units = {"eyeLookOutLeft": left, "eyeLookInRight": left}
    else:
        units = {"eyeLookInLeft": -left, "eyeLookOutRight": -left}
    vertical = "eyeLookUp*" if up > 0 else "eyeLookDown*"
    return units | both_sides({vertical: abs(up)})
