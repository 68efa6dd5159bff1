"""From rows, faces and a split to what the trainer and the predictor take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """

    rows: pd.DataFrame
    store: "FaceStore"
    split: pd.DataFrame

    def role(self, role: str) -> pd.DataFrame:
        """Return the rows that play a role, in the split's order."""
        chosen = self.split.loc[self.split["role"] == role, ["sample_id"]]
        return chosen.merge(self.rows, on="sample_id", how="left", validate="one_to_one")


def sources(tables: Sequence[Any], fold: int) -> list[Source]:
    """Group a node's inputs, three per dataset: rows, faces, split; of each split one fold.

    Raises:
        DataError: if a dataset's split has no such fold.
    """
    data = []
    for rows, store, split in (tables[i : i + _PARTS] for i in range(0, len(tables), _PARTS)):
        chosen = split[split["fold"] == fold]
        if chosen.empty:
            raise DataError(
                f"the split of {rows['dataset'].iloc[0]} has no fold {fold}, its folds are "
                f"{', '.join(str(number) for number in sorted(split['fold'].unique()))}; set the method's fold to one"
            )
        data.append(Source(rows, store, chosen))
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
        parts.append(FaceDataset(source.store, numbers, labels, images, seed, training=augmented))
    return ConcatFaces(parts)


def data_version(data: Sequence[Source]) -> str:
    """Return twelve hexadecimal digits that change with any face, label or role in use."""
    import hashlib

    digest = hashlib.sha256()
    for source in data:
        table = source.store.table(["sample_id", "sha256"]).merge(source.split, on="sample_id")
        table = table.merge(source.rows, on="sample_id").sort_values("sample_id")
        digest.update(table.to_csv(index=False).encode())
    return digest.hexdigest()[:12]
