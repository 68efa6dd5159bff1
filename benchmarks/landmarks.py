"""Landmarkers on photographs: distance from given pupils, what re-alignment brings, occluders, images per second.

The folder holds photographs with one face each and ``labels.csv`` with the columns ``file``, ``left_pupil_x``,
``left_pupil_y``, ``right_pupil_x``, ``right_pupil_y`` in pixels, left of the image first, empty where not given::

    python benchmarks/landmarks.py photographs data/06_models/landmarks/model.safetensors --pictures pictures
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from openfer.faces.config import FacesConfig
from openfer.faces.mediapipe.detector import MediapipeDetector
from openfer.faces.template import apply, similarity, template_points, warp
from openfer.io.checkpoint import load_checkpoint
from openfer_faces.landmarks.choose import landmarker
from openfer_faces.landmarks.evidence import alignment, five_of, occlusion, paste_all, pupils
from openfer_faces.landmarks.figures import faces_with_points, side_by_side
from openfer_faces.landmarks.pasted import KINDS
from openfer_faces.landmarks.settings import LandmarkerChoice

_SIZE = 256
_PUPILS = ("left_pupil_x", "left_pupil_y", "right_pupil_x", "right_pupil_y")
_SHOWN = 8


@dataclass(frozen=True)
class Photographs:
    """Aligned crops of photographs.

    Attributes:
        crops: (N, 256, 256, 3), uint8.
        five: the detector's points in crop pixels, (N, 5, 2).
        pupils: in crop pixels, NaN where not given, (N, 2, 2).
    """

    crops: np.ndarray
    five: np.ndarray
    pupils: np.ndarray


def main() -> None:
    """Measure the landmarkers on one folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "model", type=Path, help="checkpoint of the pipeline landmarks, calibrated for all that have scores"
    )
    parser.add_argument("--landmarkers", nargs="+", default=["mediapipe", "dlib68", "heatmap"])
    parser.add_argument("--pictures", type=Path, help="folder for pictures")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    photographs = cut_out(arguments.folder)
    checkpoint = load_checkpoint(arguments.model)
    used = {name: landmarker(LandmarkerChoice(landmarker=name), checkpoint) for name in arguments.landmarkers}
    clean = {name: find(photographs.crops) for name, find in used.items()}
    reference = np.mean([found.points for found in clean.values()], axis=0)
    given = np.isfinite(photographs.pupils).all((1, 2))
    eyes = photographs.pupils[given]
    columns = {"detector": aligned(photographs.five[given], eyes)}
    for name, find in used.items():
        points = clean[name].points[given]
        columns[name] = {
            **pupils(points, eyes),
            **aligned(five_of(points), eyes),
            **occlusion(find, photographs.crops, reference, arguments.seed),
            **speed(find, photographs.crops),
        }
    print(f"{len(photographs.crops)} faces, {given.sum()} with pupils, crops of {_SIZE} pixels, one thread\n")
    print(pd.DataFrame(columns).round(4).to_string(na_rep=""))
    if arguments.pictures:
        draw(photographs.crops, used, arguments.pictures, arguments.seed)


def aligned(five: np.ndarray, pupils: np.ndarray) -> dict[str, float]:
    """Measure alignment by five points, and by the eye centres alone."""
    by_eyes = alignment(five[:, :2], pupils, _SIZE)
    return alignment(five, pupils, _SIZE) | {f"eyes_{name}": value for name, value in by_eyes.items()}


def cut_out(folder: Path) -> Photographs:
    """Detect the largest face of each photograph and align it by five points."""
    labels = pd.read_csv(folder / "labels.csv").set_index("file")
    defaults = FacesConfig(align="detect")
    detect = MediapipeDetector(defaults.smallest_share_of_detector, defaults.smallest_score)
    crops, fives, given = [], [], []
    for name, row in labels.iterrows():
        image = np.asarray(Image.open(folder / str(name)).convert("RGB"))
        found = detect(image)
        if not len(found):
            print(f"no face found in {name}")
            continue
        five = found.points[int((found.boxes[:, 2:] - found.boxes[:, :2]).prod(1).argmax())]
        transform = similarity(five, template_points(_SIZE))
        crops.append(warp(image, transform, _SIZE))
        fives.append(apply(transform, five))
        given.append(apply(transform, row[list(_PUPILS)].to_numpy(float).reshape(2, 2)))
    return Photographs(np.stack(crops), np.stack(fives), np.stack(given))


def speed(find: Callable[[np.ndarray], object], crops: np.ndarray) -> dict[str, float]:
    """Return crops per second on this thread; the first round warms up."""
    find(crops[:8])
    began = time.perf_counter()
    find(crops)
    return {"images_per_second": len(crops) / (time.perf_counter() - began)}


def draw(crops: np.ndarray, used: dict, folder: Path, seed: int) -> None:
    """Write pictures of points over clean and covered faces."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = crops[:: max(1, len(crops) // _SHOWN)][:_SHOWN]
    for name, find in used.items():
        sheets = []
        for kind in KINDS:
            images = np.stack([one.image for one in paste_all(shown, kind, seed)])
            sheets.append(faces_with_points(images, find(images)))
        side_by_side(sheets, [f"{name}: {kind}" for kind in KINDS]).save(folder / f"landmarks_{name}.png")


if __name__ == "__main__":
    main()
