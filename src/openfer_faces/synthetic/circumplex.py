"""Valence and arousal of rendered faces: the place of an expression in the plane, scaled by its intensity."""

from types import MappingProxyType

import pandas as pd

from openfer.errors import DataError
from openfer.labels import AFFECT

CIRCUMPLEX = MappingProxyType(
    {
        "neutral": (0.0, 0.0),
        "happiness": (0.81, 0.51),
        "sadness": (-0.63, -0.27),
        "surprise": (0.40, 0.67),
        "fear": (-0.64, 0.60),
        "disgust": (-0.60, 0.35),
        "anger": (-0.51, 0.59),
    }
)
"""Valence and arousal of an expression at full intensity, in [-1, 1].

Pleasure and arousal of "happy", "sad", "surprised", "fearful", "disgusted" and "angry" as raters placed the words
(Russell and Mehrabian, Evidence for a three-factor theory of emotions, Journal of Research in Personality 11, 1977; its
third factor, dominance, is left out). Neutral is the origin by definition. Words are no faces: the values are a
convention by which a network's answer can be checked, not a measurement of what these faces look like. Contempt, which
no rated set shows, has no place.
"""


def circumplex(scenes: pd.DataFrame) -> pd.DataFrame:
    """Return valence and arousal of scenes: the expression's place times its intensity, clipped to [-1, 1].

    Args:
        scenes: with ``expression``, of the basic ones, and ``intensity``, 1 at full strength.

    Returns:
        The columns :data:`openfer.labels.AFFECT`, indexed as the scenes.

    Raises:
        DataError: if an expression has no place.
    """
    unknown = sorted(set(scenes["expression"]) - set(CIRCUMPLEX))
    if unknown:
        raise DataError(f"{', '.join(unknown)} has no valence and arousal; those that have are {', '.join(CIRCUMPLEX)}")
    places = pd.DataFrame([CIRCUMPLEX[name] for name in scenes["expression"]], columns=AFFECT, index=scenes.index)
    return places.mul(scenes["intensity"], axis=0).clip(-1, 1)
