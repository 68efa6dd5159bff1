"""How well and how fast photographs are aligned, judged by pupils that the dataset gives.

    python benchmarks/alignment.py FOLDER --detectors mediapipe mtcnn --refine none dlib68 --workers 1 2

FOLDER holds photographs and ``labels.csv`` with the columns file, expression, left_pupil_x, left_pupil_y,
right_pupil_x, right_pupil_y (image left first; empty where unknown), as the Face Research Lab London Set has.
Distances are in pixels of the 256-pixel crop, each pupil by itself; rows of one frame can be compared. Images
go through the generic reader and `align_set`, the way of the pipeline `ingest`.
"""

import argparse
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from openfer.datasets.readers.folder import READER
from openfer.datasets.tree import Tree
from openfer.faces.align_set import align_set
from openfer.faces.config import FacesConfig
from openfer.faces.template import apply, template_points
from openfer.io.face_store import FaceStore

PUPILS = ["left_pupil_x", "left_pupil_y", "right_pupil_x", "right_pupil_y"]
OPTIONS = {
    "table": "labels.csv",
    "columns": {"path": "file", "expression": "expression"},
    "labels": {"smiling": "happiness"},
}


def measure(folder: Path, config: FacesConfig) -> dict[str, object]:
    """Align all photographs; return shares, distances and speed."""
    rows = READER(OPTIONS).read(Tree(folder), "photographs")
    with tempfile.TemporaryDirectory() as work:
        start = time.perf_counter()
        faces, quarantine = align_set([rows], len(rows), folder, config, Path(work), "photographs")
        seconds = time.perf_counter() - start
        table = FaceStore(faces).table(["sample_id", "transform"]).merge(rows[["sample_id", "path"]], on="sample_id")
    known = pd.read_csv(folder / "labels.csv").dropna(subset=PUPILS)
    table = table.merge(known, left_on="path", right_on="file")
    pupils = table[PUPILS].to_numpy(float).reshape(-1, 2, 2) + 0.5  # given as whole pixels; ours lie at halves
    found = [apply(np.asarray(t, float).reshape(2, 3), p) for t, p in zip(table["transform"], pupils, strict=True)]
    distance = np.linalg.norm(np.array(found) - template_points(config.size, config.frame)[:2], axis=2).ravel()
    line = np.array(found)[:, 1] - np.array(found)[:, 0]
    tilt = np.abs(np.degrees(np.arctan2(line[:, 1], line[:, 0])))
    return {
        "detector": config.detector,
        "refine": config.refine,
        "eye weight": config.eye_weight,
        "frame": config.frame,
        "workers": config.workers,
        "aligned": f"{len(rows) - len(quarantine)}/{len(rows)}",
        "median px": round(float(np.median(distance)), 2),
        "95 % px": round(float(np.percentile(distance, 95)), 2),
        "worst px": round(float(distance.max()), 2),
        "tilt median deg": round(float(np.median(tilt)), 2),
        "images/s": round(len(rows) / seconds, 1),
        "n pupils": len(distance),
    }


def main() -> None:
    """Measure all combinations asked for and print them as one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detectors", nargs="+", default=["mediapipe"], choices=["mediapipe", "mtcnn"])
    parser.add_argument("--eye-weights", nargs="+", type=float, default=[10.0])
    parser.add_argument("--refine", nargs="+", default=["none"], choices=["none", "dlib68"])
    parser.add_argument("--frames", nargs="+", default=["tight", "face"], choices=["tight", "face"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    arguments = parser.parse_args()
    settings = product(
        arguments.detectors, arguments.refine, arguments.eye_weights, arguments.frames, arguments.workers
    )
    names = ("detector", "refine", "eye_weight", "frame", "workers")
    found = [
        measure(
            arguments.folder, FacesConfig.model_validate({"align": "detect"} | dict(zip(names, values, strict=True)))
        )
        for values in settings
    ]
    print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
