"""The landmarker that aligns a face a second time."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from openfer.errors import ParameterError
from openfer.io.checkpoint import load_checkpoint

Find68 = Callable[[list[np.ndarray]], tuple[np.ndarray, np.ndarray]]
"""Crops -> 68 points in crop pixels (N, 68, 2) and a raw score for each (N, 68)."""

_FEWEST_JITTERS = 2
"""Alignment does not look at the scores."""


def refiner(kind: Literal["none", "dlib", "heatmap"], weights: Path | None) -> Find68 | None:
    """Return what finds the points, or None where nothing is to be aligned again.

    Args:
        kind: as :class:`openfer.faces.config.FacesConfig` says.
        weights: checkpoint of the heat-map regressor, where that is asked for.

    Raises:
        ParameterError: if dlib is not installed, or the regressor has no weights.
    """
    if kind == "none":
        return None
    if kind == "dlib":
        from openfer.faces.landmarks.dlib68 import Dlib68

        return Dlib68(_FEWEST_JITTERS).find
    if weights is None:
        raise ParameterError(
            "refine is heatmap, but no weights are given: run the pipeline landmarks first, or use refine: none"
        )
    from openfer.faces.landmarks.heatmap import from_checkpoint

    return from_checkpoint(load_checkpoint(weights)).find
