"""From rows, faces and a split to what the trainer and the predictor take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.labels import EXPRESSIONS, FACTOR_CLASSES
from openfer.protocols.labelling import label_indices

if TYPE_CHECKING:
    from openfer.io.face_store import FaceStore
    from openfer.methods.contract import Classes
    from openfer.training.config import ImageSettings
    from openfer.training.data import ConcatFaces

_PARTS = 3


@dataclass(frozen=True)
class Source:
    """One dataset as the catalog holds it.

    Attributes:
        rows: :data:`openfer.schemas.ROWS`.
        store: its faces.
        split: :data:`openfer.schemas.SPLIT`.
        extras: by name: ``landmarks``, :data:`openfer.schemas.LANDMARKS`.
    """

    rows: pd.DataFrame
    store: "FaceStore"
    split: pd.DataFrame
    extras: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def role(self, role: str) -> pd.DataFrame:
        """Return the rows that play a role, in the split's order."""
        chosen = self.split.loc[self.split["role"] == role, ["sample_id"]]
        return chosen.merge(self.rows, on="sample_id", how="left", validate="one_to_one")


def sources(tables: Sequence[Any], fold: int, extras: Sequence[str] = ()) -> list[Source]:
    """Group a node's inputs, per dataset: rows, faces, split and the extras' tables; of each split one fold.

    Raises:
        DataError: if a dataset's split has no such fold.
    """
    data, parts = [], _PARTS + len(extras)
    for rows, store, split, *others in (tables[i : i + parts] for i in range(0, len(tables), parts)):
        chosen = split[split["fold"] == fold]
        if chosen.empty:
            raise DataError(
                f"the split of {rows['dataset'].iloc[0]} has no fold {fold}, its folds are "
                f"{', '.join(str(number) for number in sorted(split['fold'].unique()))}; set the method's fold to one"
            )
        data.append(Source(rows, store, chosen, dict(zip(extras, others, strict=True))))
    return data


def classes_of(data: Sequence[Source], tasks: Sequence[str]) -> "Classes":
    """Return the classes that the training rows show, by task, in canonical order.

    Factors with a closed vocabulary keep all its names, as in the papers' heads; a task without
    any label is left out.

    Raises:
        DataError: if no task has a label.
    """
    train = pd.concat([source.role("train") for source in data], ignore_index=True)
    classes = {}
    for task in tasks:
        found = set(train[task].dropna())
        if not found:
            continue
        order = EXPRESSIONS if task == "expression" else FACTOR_CLASSES.get(task, tuple(sorted(found)))
        classes[task] = tuple(name for name in order if name in found or task in FACTOR_CLASSES)
    if not classes:
        raise DataError(
            f"the {len(train)} training rows carry none of the labels {', '.join(tasks)}; choose a dataset that does"
        )
    return classes


def tested_role(data: Sequence[Source]) -> str:
    """Return the role that a method is tested on: ``test``, or ``val`` where no dataset has test faces."""
    return "test" if any((source.split["role"] == "test").any() for source in data) else "val"


def faces_for(
    data: Sequence[Source],
    role: str,
    classes: "Classes",
    images: "ImageSettings",
    seed: int,
    *,
    augmented: bool = False,
) -> "ConcatFaces":
    """Return the faces that play a role, with integer labels: centre crops, or augmented for training."""
    from openfer.training.data import ConcatFaces, FaceDataset

    parts = []
    for source in data:
        rows = source.role(role)
        labels = {task: label_indices(rows, task, names) for task, names in classes.items()}
        numbers = source.store.rows_of(rows["sample_id"])
        extras = {name: landmark_array(table, rows["sample_id"]) for name, table in source.extras.items()}
        parts.append(FaceDataset(source.store, numbers, labels, images, seed, training=augmented, extras=extras))
    return ConcatFaces(parts)


def landmark_array(table: pd.DataFrame, sample_ids: pd.Series) -> np.ndarray:
    """Return x, y and confidence of the 68 points of samples, float32, (N, 68, 3).

    Args:
        table: valid under :data:`openfer.schemas.LANDMARKS`.
        sample_ids: (N,).

    Raises:
        DataError: if a sample has no points.
    """
    from openfer.protocols.contents import places

    found = places(sample_ids, table["sample_id"])
    if (found < 0).any():
        raise DataError(
            f"{(found < 0).sum()} of {len(found)} faces have no landmarks, the first "
            f"{sample_ids.iloc[int((found < 0).argmax())]}; the table is of other faces: "
            "run `kedro run --pipelines landmarks --params dataset=...` for this dataset again"
        )
    chosen = table.iloc[found]
    points = np.array(chosen["points68"].tolist(), np.float32).reshape(-1, 68, 2)
    confidence = np.array(chosen["confidence68"].tolist(), np.float32).reshape(-1, 68, 1)
    return np.concatenate([points, confidence], axis=2)


def data_version(data: Sequence[Source]) -> str:
    """Return twelve hexadecimal digits that change with any face, label, role or extra in use."""
    import hashlib

    digest = hashlib.sha256()
    for source in data:
        table = source.store.table(["sample_id", "sha256"]).merge(source.split, on="sample_id")
        table = table.merge(source.rows, on="sample_id").sort_values("sample_id")
        digest.update(table.to_csv(index=False).encode())
        for name, extra in source.extras.items():
            digest.update(name.encode() + landmark_array(extra, table["sample_id"]).tobytes())
    return digest.hexdigest()[:12]
