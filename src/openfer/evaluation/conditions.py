"""What a published figure was measured on, and how a run of ours differs from that."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, Self

import pandas as pd

Counted = Literal["faces", "rated faces", "sequences"]
"""What n counts."""

_PLACE = "openfer.evaluation.published"
_CONDITIONS, _REMARKS = "conditions.csv", "remarks.csv"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Measured:
    """What an accuracy of ours was measured on.

    Attributes:
        sources: the datasets of the tested faces, by the names of their readers, such as ``raf_db``.
        trained_on: the training datasets, by the same names.
        classes: number of classes that the model distinguishes.
        partitions: the publisher's partitions of the tested faces; empty where the publisher gives none.
            :data:`UNKNOWN` alone where the run does not say.
        folds: number of folds that were tested.
        n: number of tested faces or sequences.
    """

    sources: tuple[str, ...]
    trained_on: tuple[str, ...]
    classes: int
    partitions: tuple[str, ...]
    folds: int
    n: int

    @classmethod
    def of_run(
        cls, datasets: Iterable[str], tested: Iterable[str], faces: Any, *, classes: int, folds: int, n: int
    ) -> Self:
        """Return what a run was measured on.

        Args:
            datasets: the training datasets, as parameters name them.
            tested: the datasets of the faces that count.
            faces: the fact ``tested_faces`` of the run: ``reader`` and ``partitions`` by dataset.
            classes: number of classes.
            folds: number of tested folds.
            n: number of tested faces or sequences.
        """
        known: Mapping[str, Any] = faces if isinstance(faces, Mapping) else {}
        own = sorted(set(tested))

        def source(name: str) -> str:
            return str(known[name]["reader"]) if name in known else name

        partitions = {part for name in own for part in (known[name]["partitions"] if name in known else [UNKNOWN])}
        return cls(
            tuple(dict.fromkeys(map(source, own))), tuple(dict.fromkeys(map(source, datasets))), classes,
            tuple(sorted(partitions)), folds, n,
        )  # fmt: skip


@dataclass(frozen=True)
class Conditions:
    """What a published figure was measured on.

    Attributes:
        source: the tested dataset, by the name of its reader.
        trained_on: the training datasets, by the names of their readers.
        classes: number of classes.
        partitions: the publisher's partitions of the tested faces; empty where the publisher gives none.
        folds: number of folds that the figure is a mean over.
        n: the possible numbers of tested faces or sequences: one, or two where the paper contradicts itself.
        counted: what n counts.
    """

    source: str
    trained_on: tuple[str, ...]
    classes: int
    partitions: tuple[str, ...]
    folds: int
    n: tuple[int, ...]
    counted: Counted

    def differences(self, ours: Measured) -> tuple[str, ...]:
        """Return in words where a run differs; empty where the figures may stand side by side."""
        if ours.sources != (self.source,):
            return (f"dataset: {_words(ours.sources)} here, {self.source} in the paper",)
        pairs: dict[str, tuple[list[Any], list[Any]]] = {
            "trained on": (sorted(ours.trained_on), sorted(self.trained_on)),
            "classes": ([ours.classes], [self.classes]),
            "partition": (sorted(ours.partitions), sorted(self.partitions)),
            "folds": ([ours.folds], [self.folds]),
        }
        apart = [
            f"{name}: {_words(here)} here, {_words(there)} in the paper"
            for name, (here, there) in pairs.items()
            if here != there
        ]
        if ours.n not in self.n:
            apart.append(f"n: {ours.n:,} {self.counted} here, {self.n[0]:,} in the paper")
        return tuple(apart)


def conditions_of(paper: str, table: str, dataset: str) -> Conditions | None:
    """Return what the figures of a table on a dataset were measured on; None where no run is scored in this way.

    Args:
        paper: in the published table.
        table: of that paper.
        dataset: as the paper calls it.
    """
    known = _conditions()
    return known.get((paper, table, dataset)) or known.get((paper, "", dataset))


def remark_on(paper: str, method: str) -> str:
    """Return what must be known of the figures of a method in a paper; empty where there is nothing to say."""
    return _remarks().get((paper, method), "")


@functools.cache
def _conditions() -> Mapping[tuple[str, str, str], Conditions]:
    return {
        (line["paper"], line["table"], line["dataset"]): Conditions(
            source=line["source"],
            trained_on=tuple(line["trained_on"].split()),
            classes=int(line["classes"]),
            partitions=tuple(line["partition"].split()),
            folds=int(line["folds"]),
            n=tuple(map(int, line["n"].split())),
            counted=line["counted"],
        )
        for line in _lines(_CONDITIONS)
    }


@functools.cache
def _remarks() -> Mapping[tuple[str, str], str]:
    return {(line["paper"], line["method"]): line["remark"] for line in _lines(_REMARKS)}


def _lines(name: str) -> list[dict[Any, Any]]:
    with resources.files(_PLACE).joinpath(name).open() as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False).to_dict("records")


def _words(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "none"
