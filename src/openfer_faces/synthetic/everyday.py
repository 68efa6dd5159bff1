"""Expressions as photographs show them: parts of the prototypes, open mouths, and faces that move at rest.

From no paper. Which movements the prototypes lack was found by comparing the landmarker's blendshapes of rendered faces
with those of FER+'s training faces; the weights here are rounded and were not fitted to them. The FACS units that each
added variant is known for stand beside it.
"""

from types import MappingProxyType

import numpy as np

from openfer_faces.synthetic.expressions import PROTOTYPES, Units, add_units, both_sides, draw_variant, gaze

_VARIANTS: dict[str, tuple[Units, ...]] = {
    **PROTOTYPES,
    "happiness": (
        {  # 6 + 12 + 25: teeth
            **{"mouthSmile*": 1.0, "cheekSquint*": 0.9, "eyeSquint*": 0.5, "mouthUpperUp*": 0.6},
            **{"mouthLowerDown*": 1.4, "jawOpen": 0.15},
        },
        {  # 6 + 12 + 26: a laugh
            **{"mouthSmile*": 1.0, "cheekSquint*": 0.8, "eyeSquint*": 0.5, "mouthUpperUp*": 0.7},
            **{"mouthLowerDown*": 1.6, "jawOpen": 0.5, "mouthStretch*": 0.4},
        },
        {  # 12 + 14: lips closed
            **{"mouthSmile*": 0.9, "cheekSquint*": 0.6, "eyeSquint*": 0.3, "mouthDimple*": 0.35, "mouthPress*": 0.2},
        },
        # 12 + 20 + 25: posed, the eyes do not smile
        {"mouthSmile*": 0.8, "mouthStretch*": 0.4, "mouthLowerDown*": 1.0, "mouthUpperUp*": 0.3},
    ),
    "sadness": (
        *PROTOTYPES["sadness"],
        {  # 1 + 4 + 7 + 15 + 20 + 25: crying
            **{"browInnerUp": 0.9, "browDown*": 0.4, "mouthFrown*": 0.7, "mouthStretch*": 0.5, "eyeSquint*": 0.6},
            **{"mouthLowerDown*": 0.7, "jawOpen": 0.2, "eyeBlink*": 0.3},
        },
        # 1 + 15 + 17 + 43: downcast
        {"eyeLookDown*": 0.9, "eyeBlink*": 0.5, "mouthFrown*": 0.8, "browInnerUp": 0.4, "mouthShrugLower": 0.4},
    ),
    "fear": (
        *PROTOTYPES["fear"],
        {  # 1 + 2 + 5 + 20 + 27: a scream
            **{"browInnerUp": 1.0, "browOuterUp*": 0.8, "eyeWide*": 1.1, "jawOpen": 0.6, "mouthStretch*": 0.7},
            **{"mouthLowerDown*": 1.2},
        },
    ),
    "disgust": (
        *PROTOTYPES["disgust"],
        {  # 4 + 7 + 9 + 10 + 25: eyes narrow, mouth open
            **{"noseSneer*": 1.1, "mouthUpperUp*": 0.9, "browDown*": 0.7, "eyeSquint*": 0.8, "eyeBlink*": 0.4},
            **{"mouthLowerDown*": 1.0, "jawOpen": 0.2, "mouthStretch*": 0.4},
        },
    ),
    "anger": (
        *PROTOTYPES["anger"],
        {  # 4 + 5 + 10 + 27: shouting
            **{"browDown*": 1.1, "eyeSquint*": 0.3, "eyeWide*": 0.4, "noseSneer*": 0.5, "jawOpen": 0.8},
            **{"mouthLowerDown*": 1.5, "mouthUpperUp*": 0.6, "mouthStretch*": 0.5},
        },
        {  # 4 + 7 + 22 + 25: scolding
            **{"browDown*": 1.0, "eyeSquint*": 0.5, "jawOpen": 0.5, "mouthFunnel": 0.5, "mouthLowerDown*": 1.3},
            **{"mouthFrown*": 0.3},
        },
    ),
}

_ALWAYS = MappingProxyType(
    {
        "happiness": ("mouthSmile",),
        "sadness": ("mouthFrown", "browInnerUp"),
        "surprise": ("browInnerUp", "browOuterUp"),
        "fear": ("eyeWide", "browInnerUp"),
        "disgust": ("noseSneer", "mouthUpperUp"),
        "anger": ("browDown",),
    }
)
"""The units without which an expression is not itself."""

_SHOWN = 0.7
"""Probability that each other unit of the variant is shown."""

_OPENING = ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthStretch")
_OPENING_POWER = 0.6
"""A mouth opens already where an expression is weak: these units go with a power of the intensity."""

_IDLE = MappingProxyType(
    {
        **{"eyeSquint*": 0.2, "eyeBlink*": 0.1, "eyeWide*": 0.1, "mouthPress*": 0.15, "mouthFrown*": 0.05},
        **{"mouthSmile*": 0.03, "mouthShrugLower": 0.1, "mouthRollLower": 0.15, "mouthRollUpper": 0.08},
        **{"mouthPucker": 0.15, "mouthStretch*": 0.05, "jawOpen": 0.04, "mouthLowerDown*": 0.04},
    }
)
"""Deviation of the movements at rest. Corners of the mouth hardly rise: a landmarker sees a smile at once."""

_BROW, _BROW_STD = 0.1, 0.3
"""How far the brows of a face at rest are raised; negative is lowered."""


def everyday_units(expression: str, intensity: float, generator: np.random.Generator) -> Units:
    """Draw one face's action units: some of an expression's movements, and independent ones of a face at rest.

    Args:
        expression: one of :data:`~openfer.labels.EXPRESSIONS`.
        intensity: strength of the expression; 1 is full, 0 leaves the face at rest.
        generator: draws variant, shown units, asymmetry, rest and gaze.

    Returns:
        Unit weights by ARKit name, non-negative.

    Raises:
        ValueError: if the expression is unknown.
    """
    units = draw_variant(expression, _VARIANTS, generator)
    asymmetry = generator.normal(0, 0.08)
    amounts: dict[str, float] = {}
    drawn: Units = {}
    for name, weight in units.items():
        stem = name.removesuffix("Left").removesuffix("Right")
        if stem not in amounts:
            shown = stem in _ALWAYS.get(expression, ()) or generator.random() < _SHOWN
            strength = intensity**_OPENING_POWER if stem in _OPENING else intensity
            amounts[stem] = strength * max(0.0, generator.normal(1, 0.25)) * shown
        side = asymmetry * (name.endswith("Left") - name.endswith("Right"))
        drawn[name] = max(0.0, float(weight * (1 + side) * amounts[stem]))
    for stem, deviation in _IDLE.items():
        add_units(drawn, both_sides({stem: abs(generator.normal(0, deviation))}))
    add_units(drawn, both_sides(_brows(generator.normal(_BROW, _BROW_STD), generator)))
    add_units(drawn, gaze(generator.normal(0, 0.2), generator.normal(0, 0.15)))
    return drawn


def _brows(raised: float, generator: np.random.Generator) -> Units:
    if raised < 0:
        return {"browDown*": -raised}
    inner, outer = generator.uniform(0, 0.6), generator.uniform(0.7, 1.4)
    return {"browInnerUp": raised * inner, "browOuterUp*": raised * outer}
