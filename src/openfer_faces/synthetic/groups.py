"""Groups of rendered faces by what makes them difficult, which only the renderer knows."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from openfer.labels import AGES, GENDERS, RACES
from openfer.schemas import group_table
from openfer_faces.synthetic.scene.description import OCCLUDERS

_YAWS = (0, 15, 30, 45, 90)
"""Degrees, to either side."""

_SHARES = (0.0, 0.5, 0.7, 0.9, 1.0)
"""Of the 68 points."""

_FLASHES = (0, 30, 60, 100)
"""Degrees to either side from which a flash comes."""

_INTENSITIES = (0.0, 0.6, 0.8, 1.0, 1.2)
"""Of the full expression."""


def scene_groups(scenes: pd.DataFrame, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Group faces by what covers, turns, lights and shows them, by who they are, and as public lists do.

    Args:
        scenes: of one set, the columns ``sample_id``, ``occluder``, ``yaw``, ``light_yaw``, ``light_key``,
            ``light_ambient``, ``expression``, ``intensity``, ``gender``, ``race`` and ``age``.
        landmarks: the columns ``sample_id`` and ``confidence68``, 1 for a point that the camera sees and 0.

    Returns:
        Valid under :data:`openfer.schemas.GROUPS`. ``challenge`` holds what the public lists of AffectNet and FERPlus
        do, occluded faces and heads turned by more than 30 or 45 degrees, and besides those that are on none of
        them. A neutral face has no intensity. An empty group is not there.
    """
    names = scenes["sample_id"].to_numpy(dtype=object)
    turned = scenes["yaw"].abs().to_numpy()
    shares = [float(np.mean(own)) for own in landmarks["confidence68"]]
    seen = pd.Series(shares, index=landmarks["sample_id"])[names].to_numpy()
    covered = (scenes["occluder"] != "none").to_numpy()
    masks = {("occluder", kind): (scenes["occluder"] == kind).to_numpy() for kind in OCCLUDERS}
    masks |= {("yaw", f"{low} to {high} degrees"): mask for low, high, mask in _between(turned, _YAWS)}
    masks |= {
        ("visible points", f"{low:.0%} to {high:.0%}".replace("%", " %")): mask
        for low, high, mask in _between(seen, _SHARES)
    }
    flash = (scenes["light_key"] >= scenes["light_ambient"]).to_numpy()
    masks[("illumination", "room light")] = ~flash
    masks |= {
        ("illumination", f"flash from {low} to {high} degrees"): flash & mask
        for low, high, mask in _between(scenes["light_yaw"].abs().to_numpy(), _FLASHES)
    }
    shown = (scenes["expression"] != "neutral").to_numpy()
    masks |= {
        ("intensity", f"{low:.0%} to {high:.0%}".replace("%", " %")): shown & mask
        for low, high, mask in _between(scenes["intensity"].to_numpy(), _INTENSITIES)
    }
    for factor, names_of in (("gender", GENDERS), ("race", RACES), ("age", AGES)):
        masks |= {(factor, name): (scenes[factor] == name).to_numpy() for name in names_of}
    masks |= {("challenge", "occlusion"): covered, ("challenge", "none of them"): ~covered & (turned <= 30)}
    masks |= {("challenge", f"pose{least}"): turned > least for least in (30, 45)}
    return group_table({key: names[mask] for key, mask in masks.items() if mask.any()})


def _between(values: np.ndarray, edges: tuple[float, ...]) -> Iterator[tuple[float, float, np.ndarray]]:
    """Yield each interval with who is in it; a bound belongs to the interval above, the last one to the last."""
    place = np.digitize(values, edges[1:-1])
    for number, (low, high) in enumerate(pairwise(edges)):
        yield low, high, place == number
