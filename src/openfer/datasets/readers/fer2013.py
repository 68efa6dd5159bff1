"""FER2013: 35,887 grey images of 48 pixels with seven expressions, stored as text in one CSV file."""

import pandas as pd
from pydantic import field_validator

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.fer2013_files import IMAGES, SIDE, Fer2013Images, fer2013_table, image_columns, partitions
from openfer.datasets.labelling import integers, named
from openfer.datasets.tree import Tree
from openfer.labels import FER2013

_ORDER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_COUNTS = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "val": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}


class Fer2013Options(Fer2013Images):
    """Where the images are; ``{name}`` and ``{folder}`` need FER+'s names."""

    @field_validator("images")
    @classmethod
    def _is_by_row(cls, pattern: str) -> str:
        if "{name" in pattern or "{folder" in pattern:
            raise ValueError("{name} and {folder} are FER+'s names; use {row} here, or the reader ferplus")
        return pattern


class Fer2013(Reader):
    """Reads ``fer2013.csv``, or image files that are named by its rows."""

    about = About(
        title="FER2013",
        licence="FER2013: terms of the Kaggle contest of 2013, research and education",
        citation="Goodfellow et al.: Challenges in Representation Learning: A report on three machine learning "
        "contests. ICONIP 2013",
        access="kaggle.com, challenges-in-representation-learning-facial-expression-recognition-challenge",
    )
    options_class = Fer2013Options
    options: Fer2013Options

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per line of the CSV file."""
        table = fer2013_table(tree, self.options)
        partition = partitions(table["Usage"], self.options.table)
        rows = image_columns(self.options, table["Usage"]).assign(partition=partition)
        rows["expression"] = named(integers(table["emotion"], self.options.table), FER2013, self.options.table)
        return rows

    def expected(self) -> Expected:
        """Return the contest's counts."""
        return Expected(
            images=IMAGES,
            classes={side: dict(zip(_ORDER, counts, strict=True)) for side, counts in _COUNTS.items()},
            image_size=(SIDE, SIDE),
            source="the contest's fer2013.csv; the contest report gives the partitions",
        )


READER = Fer2013
