"""Thin nodes from rendered faces to a landmarker, its evidence, and its points on a dataset."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.io.checkpoint import Checkpoint
from openfer.io.face_store import FaceStore
from openfer_faces.landmarks.contract import Landmarker
from openfer_faces.landmarks.settings import HeatmapSettings, LandmarkerChoice
from openfer_faces.synthetic.config import LandmarkSet

_FACES_SHOWN = 32
_FOUND_AT_ONCE = 256


def plan(sizes: LandmarkSet) -> pd.DataFrame:
    """Return the scenes from which landmarks are learned."""
    from openfer_faces.synthetic.sets import plan_landmarks

    return plan_landmarks(sizes)


def render(scenes: pd.DataFrame, sizes: LandmarkSet, work: Path) -> Path:
    """Render the scenes into a face store; a killed rendering goes on from its finished shards."""
    from openfer_faces.synthetic.render_set import render_set

    return render_set(scenes, sizes, work)


def train(
    settings: HeatmapSettings, scenes: pd.DataFrame, faces: FaceStore, work: Path
) -> tuple[Checkpoint, pd.DataFrame]:
    """Train the regressor; a killed training goes on at its last whole epoch.

    Returns:
        The trained network, and what each epoch measured.
    """
    from openfer_faces.landmarks.heatmap import to_checkpoint
    from openfer_faces.landmarks.train import train as fit

    network, history = fit(_known(scenes, faces, "train"), _known(scenes, faces, "val"), settings, work)
    people = int(scenes.loc[scenes["partition"] == "train", "person"].nunique())
    facts = {"people": people, "validation_nme": history[-1]["validation_nme"]}
    return to_checkpoint(network, settings, facts), pd.DataFrame(history)


def calibrate(
    choice: LandmarkerChoice, settings: HeatmapSettings, trained: Checkpoint, scenes: pd.DataFrame, faces: FaceStore
) -> Checkpoint:
    """Fit what the scores of each landmarker mean, on people that the regressor has not learned from."""
    from openfer_faces.landmarks.choose import raw_landmarker, with_calibration
    from openfer_faces.landmarks.known import held_out
    from openfer_faces.landmarks.raw import fit_on

    size = int(faces.image(0).shape[0])
    crops, _, visible = held_out(_known(scenes, faces, "val"), size, settings.augment, settings.seed)
    model = trained
    for name in choice.calibrated:
        raw = raw_landmarker(choice.of(name), trained)
        model = with_calibration(model, raw.name, fit_on(raw, crops, visible))
    return model


def calibrate_without_regressor(
    choice: LandmarkerChoice, settings: HeatmapSettings, scenes: pd.DataFrame, faces: FaceStore
) -> Checkpoint:
    """Fit the same where the regressor is not asked for, and so not trained."""
    return calibrate(choice, settings, Checkpoint({}), scenes, faces)


def measure(
    choice: LandmarkerChoice, settings: HeatmapSettings, model: Checkpoint, scenes: pd.DataFrame, faces: FaceStore
) -> tuple[pd.DataFrame, Any]:
    """Measure each landmarker on people that nobody has seen, as rendered and with pasted occluders.

    Returns:
        One row per landmarker, faces and quantity, with the number of faces and of people; and a picture of
        the points.
    """
    from openfer_faces.landmarks.augment import align
    from openfer_faces.landmarks.choose import landmarker
    from openfer_faces.landmarks.evidence import known_points, occlusion
    from openfer_faces.landmarks.figures import faces_with_points, side_by_side
    from openfer_faces.landmarks.known import held_out

    size = int(faces.image(0).shape[0])
    tested = _known(scenes, faces, "test")
    rendered = [align(tested[number], size) for number in range(len(tested))]
    crops = np.stack([face.image for face in rendered])
    points = np.stack([face.points68 for face in rendered])
    visible = np.stack([face.visible68 for face in rendered])
    varied, varied_points, varied_visible = held_out(tested, size, settings.augment, settings.seed)
    bare = visible.mean(1) > 0.9  # occluders are pasted where nothing is hidden yet
    people = int(scenes.loc[scenes["partition"] == "test", "person"].nunique())
    rows, sheets, titles = [], [], []
    for name in choice.names:
        find = landmarker(choice.of(name), model)
        values = {
            "rendered": known_points(find(crops), points, visible),
            "varied": known_points(find(varied), varied_points, varied_visible),
        }
        if bare.any():
            values["pasted"] = occlusion(find, crops[bare], points[bare], settings.seed)
        for kind, measured in values.items():
            count = int(bare.sum()) if kind == "pasted" else len(crops)
            rows += [(name, kind, quantity, value, count, people) for quantity, value in measured.items()]
        sheets.append(faces_with_points(varied[:_FACES_SHOWN], find(varied[:_FACES_SHOWN])))
        titles.append(f"{name}, {find.licence}")
    table = pd.DataFrame(rows, columns=["landmarker", "faces", "quantity", "value", "n_faces", "n_people"])
    return table, side_by_side(sheets, titles)


def find(choice: LandmarkerChoice, model: Checkpoint, faces: FaceStore) -> pd.DataFrame:
    """Return the chosen landmarker's points of every face of a store.

    Returns:
        ``sample_id``, ``points68`` (136 numbers, crop pixels) and ``confidence68`` (68 numbers in [0, 1], or null of a
        landmarker that has none).
    """
    from openfer_faces.landmarks.choose import landmarker

    return _table(landmarker(choice, model), faces)


def find_without_model(choice: LandmarkerChoice, faces: FaceStore) -> pd.DataFrame:
    """Return the same of a landmarker that nothing is calibrated for."""
    return find(choice, Checkpoint({}), faces)


def _table(find_points: Landmarker, faces: FaceStore) -> pd.DataFrame:
    from tqdm import tqdm

    parts = []
    for start in tqdm(range(0, len(faces), _FOUND_AT_ONCE), desc=f"points of {find_points.name}", unit="batch"):
        rows = range(start, min(start + _FOUND_AT_ONCE, len(faces)))
        found = find_points([faces.image(row) for row in rows])
        confidence = list(found.confidence) if found.with_confidence else [None] * len(rows)
        columns = {"points68": list(found.points.reshape(len(rows), -1)), "confidence68": confidence}
        parts.append(pd.DataFrame({"sample_id": faces.sample_ids[start : rows.stop], **columns}))
    empty = pd.DataFrame({"sample_id": [], "points68": [], "confidence68": []})
    return pd.concat(parts, ignore_index=True) if parts else empty


def _known(scenes: pd.DataFrame, faces: FaceStore, partition: str) -> Any:
    from openfer_faces.landmarks.known import KnownFaces

    chosen = scenes.loc[scenes["partition"] == partition, "sample_id"]
    return KnownFaces(faces, faces.rows_of(chosen))
