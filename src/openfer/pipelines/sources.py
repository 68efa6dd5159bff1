"""The datasets of a run, and their faces as the trainer and the predictor take them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.labels import ATTRIBUTE, EXPRESSIONS, FACTOR_CLASSES, PRESENCE
from openfer.pipelines.extras import extra_array
from openfer.protocols.holdout import HELD_OUT, image_holdout
from openfer.protocols.labelling import label_indices, with_attribute_columns

if TYPE_CHECKING:
    from openfer.io.face_store import FaceStore
    from openfer.methods.contract import Classes
    from openfer.runs.settings import RunSettings
    from openfer.training.config import ImageSettings
    from openfer.training.data import ConcatFaces

PARTS = ("rows", "faces", "split")
"""The parts of every source; any other is an extra."""


@dataclass(frozen=True)
class Source:
    """One dataset as the catalog holds it.

    Attributes:
        rows: :data:`openfer.schemas.ROWS`.
        store: its faces.
        split: :data:`openfer.schemas.SPLIT`.
        tasks: names of the tasks that are learned from it.
        extras: by name, the tables of :data:`openfer.pipelines.extras.EXTRAS`.
    """

    rows: pd.DataFrame
    store: "FaceStore"
    split: pd.DataFrame
    tasks: tuple[str, ...] = ()
    extras: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> "Source":
        """Return the source of catalog entries by part: ``rows``, ``faces``, ``split``; all others are extras."""
        extras = {name: table for name, table in parts.items() if name not in PARTS}
        return cls(parts["rows"], parts["faces"], parts["split"], extras=extras)

    @property
    def name(self) -> str:
        """The name of the dataset; empty without rows."""
        return str(self.rows["dataset"].iloc[0]) if len(self.rows) else ""

    @property
    def tests(self) -> bool:
        """Whether it has test faces."""
        return bool((self.split["role"] == "test").any())

    def in_fold(self, fold: int) -> "Source":
        """Return the source with one fold of its split.

        Raises:
            DataError: if the split has no such fold.
        """
        chosen = self.split[self.split["fold"] == fold]
        if chosen.empty:
            raise DataError(
                f"the split of {self.name} has no fold {fold}, its folds are "
                f"{', '.join(str(number) for number in sorted(self.split['fold'].unique()))}; set the method's fold to "
                "one of them"
            )
        return replace(self, split=chosen)

    def without(self, expressions: Sequence[str], *, kept: bool = False) -> "Source":
        """Return the source with no role for faces of some expressions; ``kept`` hides their label instead."""
        if not expressions:
            return self
        gone = self.rows["expression"].isin(expressions)
        if kept:
            return replace(self, rows=self.rows.assign(expression=self.rows["expression"].mask(gone, None)))
        return replace(self, split=self.split[~self.split["sample_id"].isin(self.rows.loc[gone, "sample_id"])])

    def learned_for(self, tasks: Sequence[str]) -> "Source":
        """Return the source with null in place of the labels of all its other tasks."""
        others = [task for task in self.tasks if task not in tasks and task in self.rows]
        return replace(self, rows=self.rows.assign(**dict.fromkeys(others))) if others else self

    def training_on_validation(self) -> "Source":
        """Return the source whose validation faces train, apart from those of the publisher's validation partition."""
        published = self.rows.loc[self.rows["partition"] == "val", "sample_id"]
        carved = (self.split["role"] == "val") & ~self.split["sample_id"].isin(published)
        return replace(self, split=self.split.assign(role=self.split["role"].astype(object).mask(carved, "train")))

    def training_on(self, sample_ids: Collection[str]) -> "Source":
        """Return the source with no role for training faces other than these."""
        split = self.split
        return replace(self, split=split[(split["role"] != "train") | split["sample_id"].isin(sample_ids)])

    def judged_by_validation(self, known: Collection[str]) -> "Source":
        """Return the source with its validation faces as test faces, for the tasks that are not known to be tested.

        Without a label for any of these it has no test faces.
        """
        source = self.learned_for([task for task in self.tasks if task not in known])
        shown = source.role("val").reindex(columns=self.tasks).notna().any().any()
        role = self.split["role"].astype(object)
        return replace(source, split=self.split.assign(role=role.mask(role == "val", "test"))) if shown else source

    def role(self, role: str) -> pd.DataFrame:
        """Return the rows that play a role, in the split's order, with a column for each task."""
        chosen = self.split.loc[self.split["role"] == role, ["sample_id"]]
        rows = chosen.merge(self.rows, on="sample_id", how="left", validate="one_to_one")
        return with_attribute_columns(rows, self.tasks)


Sources = Mapping[str, Source]
"""The datasets of a run, by name."""


def sources_of(run: "RunSettings", sources: Sources) -> list[Source]:
    """Return a run's training datasets in its fold, with its tasks and a split by which these can be judged.

    Faces of expressions that the run leaves out have no role, or, where values are regressed on them, no expression.
    Labels that a dataset is not learned for are null. Validation faces train where the run holds none out.

    Where the run sets a number of training faces, the others have no role. Only people in the training set can be told
    apart by identity. Where a split keeps people apart, a run that learns identity drops the validation and test
    people, and holds out images of its training people instead.

    Raises:
        DataError: if a dataset's split has no such fold, the training people have one image each, or the run is to
            train on more faces than there are.
    """
    data = [
        replace(sources[name].in_fold(run.fold), tasks=run.tasks)
        .without(run.leave_out, kept=bool(run.declared.regression_targets))
        .learned_for(run.labels_of.get(name, run.tasks))
        for name in run.datasets
    ]
    if not run.hold_out_validation:
        data = [source.training_on_validation() for source in data]
    data = [_closed_set(source, run.seed) if "identity" in run.tasks else source for source in data]
    return data if run.train_faces is None else _drawn(data, run.train_faces, run.seed)


def _drawn(data: list[Source], count: int, seed: int) -> list[Source]:
    from openfer.seeds import generator_for

    faces = np.concatenate([source.split.loc[source.split["role"] == "train", "sample_id"] for source in data])
    if count > len(faces):
        raise DataError(f"train_faces is {count}, but there are {len(faces)} training faces; set it to null for all")
    chosen = set(generator_for(seed, "training faces").permutation(np.sort(faces))[:count])
    return [source.training_on(chosen) for source in data]


def _closed_set(source: Source, seed: int) -> Source:
    train, validation = source.role("train"), source.role("val")
    people, others = (set(rows["identity"].dropna()) for rows in (train, validation))
    if not people or (others and others <= people):
        return source
    ours = train.assign(partition="train")  # the publisher's partition has no say in who trains in this fold
    return replace(source, split=image_holdout(ours, HELD_OUT, seed))


def classes_of(data: Sequence[Source], tasks: Sequence[str]) -> "Classes":
    """Return the classes that the training rows show, by task, in canonical order.

    Factors with a closed vocabulary and attributes keep all their names, as in the papers' heads; a task
    without any label is left out.

    Raises:
        DataError: if there are tasks and none has a label.
    """
    if not tasks:
        return {}
    train = pd.concat([source.role("train") for source in data], ignore_index=True)
    classes = {}
    for task in tasks:
        found = set(train[task].dropna())
        if not found:
            continue
        closed = PRESENCE if task.startswith(ATTRIBUTE) else FACTOR_CLASSES.get(task)
        if closed and not found <= set(closed):  # a set with lights or poses of its own
            closed = None
        order = EXPRESSIONS if task == "expression" else tuple(sorted(found))
        classes[task] = closed or tuple(name for name in order if name in found)
    if not classes:
        raise DataError(
            f"the {len(train)} training rows carry none of the labels {', '.join(tasks)}; choose a dataset that does"
        )
    return classes


def tested_role(data: Sequence[Source]) -> str:
    """Return the role that a method is tested on: ``test``, or ``val`` where no dataset has test faces."""
    return "test" if any(source.tests for source in data) else "val"


def with_tested_sides(data: Sequence[Source]) -> tuple[list[Source], str]:
    """Return the sources with faces that test each task, and which sides these are, in words.

    Where some datasets have test faces, the validation faces of the others test the tasks that no test face is labelled
    for: of DFEM's factors Multi-PIE labels identity, pose and light, and has no test side (ADDL, Table 5).
    """
    role = tested_role(data)
    if role == "val":
        return list(data), role
    tests = pd.concat([source.role("test") for source in data], ignore_index=True)
    known = [task for source in data for task in source.tasks if task in tests and tests[task].notna().any()]
    judged = [source if source.tests else source.judged_by_validation(known) for source in data]
    also = [own.name for own, old in zip(judged, data, strict=True) if own.tests != old.tests]
    return judged, f"test; val of {', '.join(also)}" if also else role


def faces_for(
    data: Sequence[Source],
    role: str,
    classes: "Classes",
    images: "ImageSettings",
    seed: int,
    *,
    augmented: bool = False,
    regression_targets: Sequence[str] = (),
    decodes: bool = True,
) -> "ConcatFaces":
    """Return the faces that play a role, with integer labels: centre crops, or augmented for training.

    Args:
        data: where they are.
        role: train, val or test.
        classes: by task.
        images: crop, flip, augmentation and normalisation.
        seed: of the augmentation.
        augmented: as training sees them.
        regression_targets: names of the continuous labels that go with them.
        decodes: whether images are read.
    """
    from openfer.training.data import ConcatFaces, FaceDataset

    parts = []
    for source in data:
        rows = source.role(role)
        labels = {task: label_indices(rows, task, names) for task, names in classes.items()}
        numbers = source.store.rows_of(rows["sample_id"])
        extras = {name: extra_array(name, table, rows["sample_id"]) for name, table in source.extras.items()}
        targets = {name: rows[name].to_numpy(np.float32, na_value=np.nan) for name in regression_targets}
        parts.append(
            FaceDataset(source.store, numbers, labels, images, seed, augmented, extras, targets, decodes, source.name)
        )
    return ConcatFaces(parts)


def data_version(data: Sequence[Source]) -> str:
    """Return twelve hexadecimal digits that change with any face, label, role or extra in use."""
    import hashlib

    digest = hashlib.sha256()
    for source in data:
        table = source.store.table(["sample_id", "sha256"]).merge(source.split, on="sample_id")
        table = table.merge(source.rows, on="sample_id").sort_values("sample_id")
        digest.update(table.to_csv(index=False).encode())
        for name, extra in source.extras.items():
            digest.update(name.encode() + extra_array(name, extra, table["sample_id"]).tobytes())
    return digest.hexdigest()[:12]
