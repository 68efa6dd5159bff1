"""What every reader offers: how a raw folder becomes rows, and what a complete copy of it looks like."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from openfer.datasets.rows import row_batches
from openfer.datasets.tree import Tree
from openfer.parameters import Settings


class NoOptions(Settings):
    """The options of a reader that has none."""


@dataclass(frozen=True)
class About:
    """What a person should know of a dataset.

    Attributes:
        title: its name in papers.
        licence: the terms in a few words; they travel with every row.
        citation: authors, title, venue, year.
        access: how one gets a copy.
    """

    title: str
    licence: str
    citation: str
    access: str


@dataclass(frozen=True)
class Expected:
    """What a complete copy holds, as published.

    Attributes:
        images: partition -> number of rows; the key ``""`` stands for a set without partitions.
        classes: partition -> expression -> number of rows, where it is published.
        subjects: number of people, where it is published.
        sequences: number of recordings, where it is published.
        image_size: (width, height) of every image, where all are alike.
        landmarks: every row has landmarks.
        source: where these numbers are printed.
    """

    images: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    subjects: int | None = None
    sequences: int | None = None
    image_size: tuple[int, int] | None = None
    landmarks: bool = False
    source: str = ""


class Reader(ABC):
    """What turns a dataset's raw folder into rows; ``READER`` in ``openfer/datasets/readers/<name>.py`` registers it.

    A reader looks at names, label files and annotations and at no pixel; it says what the publisher says,
    and neither filters for a purpose nor makes a split.

    Attributes:
        about: what a person should know.
        options_class: the pydantic model of its options.
        options: those of this instance.
    """

    about: ClassVar[About]
    options_class: ClassVar[type[Settings]] = NoOptions

    def __init__(self, options: Settings | Mapping[str, Any] | None = None) -> None:
        given = {} if options is None else options
        self.options: Any = given if isinstance(given, Settings) else self.options_class.model_validate(given)

    @abstractmethod
    def find(self, tree: Tree) -> pd.DataFrame:
        """Return what the publisher says of every face.

        Args:
            tree: the folder.

        Returns:
            One row per face; some of the columns of :data:`openfer.schemas.ROWS`, ``path`` among them, in any order.

        Raises:
            DataError: if a file is missing, or holds a column, label or path that it should not.
        """

    def advice(self, files: Collection[str]) -> str:
        """Return what a person who has these files and none of the listed images should change; empty if unknown.

        Args:
            files: relative paths of the copy.
        """
        return ""

    @property
    def licence(self) -> str:
        """The terms that travel with every row."""
        return self.about.licence

    def batches(self, tree: Tree, dataset: str) -> Iterator[pd.DataFrame]:
        """Yield the rows of a raw folder, complete and checked, some at a time; see :func:`row_batches`.

        Args:
            tree: the folder.
            dataset: the name that these rows carry.
        """
        return row_batches(tree, dataset, self.licence, self.find(tree))

    def read(self, tree: Tree, dataset: str) -> pd.DataFrame:
        """Return all rows of a raw folder as one table, valid under :data:`openfer.schemas.ROWS`."""
        return pd.concat(list(self.batches(tree, dataset)), ignore_index=True)

    @abstractmethod
    def expected(self) -> Expected:
        """Return what a complete copy holds under these options."""
