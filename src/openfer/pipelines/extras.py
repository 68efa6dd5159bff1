"""What methods are given of each face beside its pixels: how it is made for a dataset, and how its table is read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from kedro.pipeline import Pipeline

from openfer.errors import DataError
from openfer.pipelines.geometry import geometry_pipeline
from openfer.pipelines.open_features import open_features_pipeline


@dataclass(frozen=True)
class Extra:
    """One kind of extra.

    Attributes:
        array: returns the values of chosen rows of its table, float32. Of ``landmarks`` (N, 68, 3), which follow crop
            and flip; of all others (N, 2, D), of the face and of its mirror image.
        pipeline: returns the part that makes ``<dataset>_<name>`` of a dataset's faces; None where another pipeline
            makes it.
        remedy: what makes it, in words for a message.
    """

    array: Callable[[pd.DataFrame], np.ndarray]
    pipeline: Callable[[str], Pipeline] | None
    remedy: str


_FIND = "`kedro run --pipelines landmarks --params dataset=...,landmarks.use.landmarker=heatmap`"


def _landmarks(table: pd.DataFrame) -> np.ndarray:
    unknown = int(table["confidence68"].isna().sum())
    if unknown:
        raise DataError(
            f"the landmarks of {unknown} of {len(table)} faces have no confidence, the first "
            f"{table.loc[table['confidence68'].isna(), 'sample_id'].iloc[0]}; their landmarker does not know which "
            f"points are covered: run {_FIND} for this dataset"
        )
    points = np.array(table["points68"].tolist(), np.float32).reshape(-1, 68, 2)
    confidence = np.array(table["confidence68"].tolist(), np.float32).reshape(-1, 68, 1)
    return np.concatenate([points, confidence], axis=2)


def _geometry(table: pd.DataFrame) -> np.ndarray:
    sides = [[*table[f"{side}blendshapes"]] for side in ("", "mirrored_")]
    meshes = [[*table[f"{side}mesh"]] for side in ("", "mirrored_")]
    return np.stack([np.hstack([s, m]) for s, m in zip(sides, meshes, strict=True)], axis=1).astype(np.float32)


def _open_features(table: pd.DataFrame) -> np.ndarray:
    return np.stack([np.stack([*table[side]]) for side in ("features", "mirrored_features")], axis=1).astype(np.float32)


_AGAIN = "delete its table and run the same command again"

EXTRAS: Mapping[str, Extra] = {
    "landmarks": Extra(_landmarks, None, f"run {_FIND} for this dataset"),
    "geometry": Extra(_geometry, geometry_pipeline, _AGAIN),
    "open_features": Extra(_open_features, open_features_pipeline, _AGAIN),
}
"""All extras, by the names of :data:`openfer.methods.contract.EXTRA_SHAPES`."""


def extra_array(name: str, table: pd.DataFrame, sample_ids: pd.Series) -> np.ndarray:
    """Return an extra of samples, float32, (N, *shape).

    Args:
        name: one of :data:`EXTRAS`.
        table: of the extra; one row per face.
        sample_ids: (N,).

    Raises:
        DataError: if a sample is not in the table.
    """
    from openfer.protocols.contents import places

    found = places(sample_ids, table["sample_id"])
    if (found < 0).any():
        raise DataError(
            f"{(found < 0).sum()} of {len(found)} faces have no {name}, the first "
            f"{sample_ids.iloc[int((found < 0).argmax())]}; the table is of other faces: {EXTRAS[name].remedy}"
        )
    return EXTRAS[name].array(table.iloc[found])


def extras_pipeline(dataset: str, names: Iterable[str]) -> Pipeline:
    """Return the part that makes some extras of a dataset's faces; landmarks are made elsewhere."""
    makers = [EXTRAS[name].pipeline for name in names]
    return sum((make(dataset) for make in makers if make is not None), Pipeline([]))
