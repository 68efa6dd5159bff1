"""Decode the images of a copy, in parallel, to learn their sizes and which are damaged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from openfer.faces.sources import source_images
from openfer.io.images import SourceImage
from openfer.seeds import generator_for
from openfer.workers import in_processes

_AT_ONCE = 200
_LARGEST_MEGAPIXELS = 100.0


@dataclass(frozen=True)
class _Piece:
    root: Path
    rows: pd.DataFrame


def probe(
    rows: pd.DataFrame, files: pd.DataFrame, root: Path, decoded: int, seed: int, workers: Literal["auto"] | int
) -> pd.DataFrame:
    """Decode every image, or a random sample of a large set; an image is a file, a video frame or a row of a table.

    Args:
        rows: the columns ``path, frame``.
        files: the inventory; a listed image that is not in it is left to the other checks.
        root: the raw folder.
        decoded: most images that are decoded.
        seed: root seed of the sample.
        workers: number of processes.

    Returns:
        ``path, frame, width, height, problem`` (null where the image is whole), in the order of the rows.
    """
    there = rows.loc[rows["path"].isin(files["path"]), ["path", "frame"]].drop_duplicates(ignore_index=True)
    if len(there) > decoded:
        chosen = generator_for(seed, "doctor").choice(len(there), decoded, replace=False)
        there = there.iloc[sorted(chosen)].reset_index(drop=True)
    pieces = [_Piece(root, there.iloc[start : start + _AT_ONCE]) for start in range(0, max(1, len(there)), _AT_ONCE)]
    found = pd.concat(in_processes(_probe, pieces, workers, "doctor.workers"), ignore_index=True)
    return found.sort_values(["path", "frame"], ignore_index=True)


def sample_faces(
    rows: pd.DataFrame, files: pd.DataFrame, root: Path, per_class: int, seed: int
) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Return undamaged images of every class: class -> (path, RGB image)."""
    label = rows["expression"].astype(object).fillna("(no label)")
    there = rows.assign(label=label)[rows["path"].isin(files["path"])]
    faces = {}
    for name, members in there.groupby("label", sort=False):
        chosen = generator_for(seed, "doctor", str(name)).permutation(len(members))[:per_class]
        shown = members.iloc[sorted(chosen)]
        images = source_images(root, shown, _LARGEST_MEGAPIXELS)
        faces[str(name)] = [
            (path, image.pixels)
            for path, image in zip(shown["path"], images, strict=True)
            if not isinstance(image, str)
        ]
    return faces


def _probe(piece: _Piece) -> pd.DataFrame:
    images = list(map(_size_or_problem, source_images(piece.root, piece.rows, _LARGEST_MEGAPIXELS)))
    found = pd.DataFrame(images, columns=["width", "height", "problem"], index=piece.rows.index)
    return piece.rows.join(found.astype({"width": "Int64", "height": "Int64", "problem": str}))


def _size_or_problem(image: SourceImage | str) -> tuple[int | None, int | None, str | None]:
    if isinstance(image, str):
        return None, None, image
    height, width = image.pixels.shape[:2]
    return width, height, None
