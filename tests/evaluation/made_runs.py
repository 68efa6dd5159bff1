"""Runs as a project leaves them, made of rendered faces and answers that a test decides."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from openfer.evaluation.fairness import fairness
from openfer.evaluation.predictions import features_table, predictions_table
from openfer.io.face_store import FaceStore
from openfer.io.runs import LAYERS
from openfer.schemas import group_table

PLAN = {"device": "cpu", "precision": "float32", "channels_last": True, "compile": False}


def facts_of(method: str, variant: str, **others: Any) -> dict[str, Any]:
    """Return the facts of one selection."""
    return {
        "method": method,
        "variant": variant,
        "selection": "best_val",
        "main_selection": True,
        "seed": 0,
        "epoch": 3,
        "epochs": 4,
        "initialisation": "random weights",
        "initialisation_sha256": None,
        "datasets": ["tiny"],
        "fold": 0,
        "data_version": "54d38a51d84c",
        "n_train": 42,
        "label_noise": 0.0,
        "licences_of_data": ["CC0-1.0"],
        "config": {"schedule": {"epochs": 4}},
        "images": {"crop": 64, "flip": True, "augment": [{"kind": "jitter"}]},
        "sampling": {"expression": {"kind": "all"}},
        "mask": None,
        "plan": PLAN,
        "threads": 1,
        "code": {"openfer": "0.1.0", "commit": "0123456789abcdef", "state": "clean"},
        "tested_on": "test",
        **others,
    }


def answers_of(
    sample_ids: list[str], true: list[str], classes: tuple[str, ...], wrong: Mapping[int, float], **run: Any
) -> pd.DataFrame:
    """Return predictions that are right but for some samples.

    Args:
        sample_ids: N names.
        true: N labels.
        classes: K names.
        wrong: number of a sample -> how sure the wrong answer is, above one half.
        **run: method, variant, selection and seed.
    """
    probabilities = np.full((len(true), len(classes)), 0.3 / (len(classes) - 1))
    for number, name in enumerate(true):
        place, sure = classes.index(name), 0.7
        if number in wrong:
            place, sure = (place + 1) % len(classes), wrong[number]
            probabilities[number] = (1 - sure) / (len(classes) - 1)
        probabilities[number, place] = sure
    named = {"seed": 0, "fold": 0, "selection": "best_val", "task": "expression"} | run
    return predictions_table(sample_ids, probabilities, classes, true, **named)


def write_run(
    root: Path, name: str, predictions: pd.DataFrame, facts: list[dict[str, Any]], store: FaceStore | None = None
) -> None:
    """Write what a run leaves below the folder of the layers; its features are small grey faces, where there are faces.

    Args:
        root: folder of the layers.
        name: of the run; its folders lie in those of its method.
        predictions: of all selections.
        facts: one mapping per selection; none as of a foreign program.
        store: the faces.
    """
    method = str(predictions["method"].iloc[0])
    models, output, reporting = (root / layer / method / name for layer in LAYERS)
    for folder in (output, models, reporting):
        folder.mkdir(parents=True)
    predictions.to_parquet(output / "predictions.parquet")
    if facts:
        (output / "facts.json").write_text(json.dumps(facts))
    first = predictions.drop_duplicates("sample_id")
    if store is not None:
        who = first["sample_id"].tolist()
        grey = [np.asarray(Image.fromarray(store.image(row)).convert("L").resize((8, 8))) for row in store.rows_of(who)]
        features = np.stack(grey).reshape(len(who), -1).astype(np.float32)
        features_table(who, features, first["y_true"].tolist()).to_parquet(output / "features.parquet")
    curve = [["expression", epoch, "val", "accuracy/expression", epoch / 10] for epoch in (1, 2, 3, 4)]
    spent = [
        ["expression", epoch, "train", *of] for epoch in (1, 2, 3, 4) for of in (("seconds", 2.5), ("cpu_joules", 900))
    ]
    columns = ["stage", "epoch", "split", "name", "value"]
    pd.DataFrame(curve + spent, columns=columns).assign(method=name).to_csv(models / "history.csv", index=False)
    half = first["sample_id"].tolist()
    groups = group_table({("occluder", "none"): half[: len(half) // 2 + 6], ("occluder", "mask"): half[-5:]})
    scores, gaps = fairness(predictions, groups, repeats=50)
    scores.to_csv(reporting / "groups.csv", index=False)
    gaps.to_csv(reporting / "gaps.csv", index=False)
    Image.new("RGB", (900, 300), "grey").save(reporting / "grad_cam.png")


def folder_of(root: Path, layer: str, name: str) -> Path:
    """Return the folder of a run in a layer."""
    (folder,) = (root / layer).glob(f"*/{name}")
    return folder


def write_faces(root: Path, store: FaceStore) -> None:
    """Put the faces where those of the dataset ``tiny`` lie."""
    place = root / "03_primary" / "tiny" / "faces"
    place.parent.mkdir(parents=True)
    place.symlink_to(store.folder, target_is_directory=True)
