"""FER+: ten people's votes on each image of FER2013, for eight expressions."""

from pathlib import PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd

from openfer.datasets.challenge import ChallengeLists, challenge_subsets
from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.fer2013_files import IMAGES, SIDE, Fer2013Images, fer2013_table, image_columns, partitions
from openfer.datasets.labelling import integers, named
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import EXPRESSIONS, FERPLUS

_LABELLED = {"train": 25_060, "val": 3_199, "test": 3_153}


class FerPlusOptions(Fer2013Images):
    """Where images and votes are.

    Attributes:
        votes: the file with the votes, in the order of FER2013's rows.
        unlabelled: what happens to images without a majority for one expression: ``drop`` or ``keep``, with a null
            expression and their votes.
        challenge: the public occlusion and pose lists, which use FER+'s image names.
    """

    votes: str = "fer2013new.csv"
    unlabelled: Literal["drop", "keep"] = "drop"
    challenge: ChallengeLists = ChallengeLists()


class FerPlus(Reader):
    """Reads ``fer2013new.csv`` beside ``fer2013.csv`` or image files.

    Votes belong to images by their row. FER+'s image names are numbered without the rows that it left out, so that
    the number in a name is up to 85 less than the row.
    """

    about = About(
        title="FER+ (FERPlus)",
        licence="FER+ votes: MIT; images of FER2013: terms of the Kaggle contest of 2013, research and education",
        citation="Barsoum, Zhang, Canton Ferrer, Zhang: Training Deep Networks for Facial Expression Recognition with "
        "Crowd-Sourced Label Distribution. ICMI 2016",
        access="votes at github.com/microsoft/FERPlus; images as for FER2013",
    )
    options_class = FerPlusOptions
    options: FerPlusOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per line of the votes that has an image and, unless asked for, a majority."""
        options, columns = self.options, list(FERPLUS)
        table = tree.table(options.votes, "FER+'s votes", ["Usage", "Image name", *columns])
        self._check_order(tree, table["Usage"])
        names = table["Image name"]
        partition = partitions(table["Usage"], options.votes)
        rows = image_columns(options, table["Usage"], names).assign(partition=partition)
        counts = np.column_stack([integers(table[name], options.votes).fillna(0).astype(int) for name in columns])
        if (counts < 0).any():
            raise DataError(f"{tree.root / options.votes} holds negative votes; restore it")
        words = np.array([*columns, None], dtype=object)[majority(counts)]
        rows["expression"] = named(pd.Series(words), FERPLUS, options.votes)
        rows["votes"] = list(counts[:, [columns.index(name) for name in EXPRESSIONS]])
        stems = names.map(lambda name: PurePosixPath(name).stem, na_action="ignore")
        rows["subsets"] = challenge_subsets(tree, stems.where(rows["partition"] == "test"), options.challenge)
        kept = rows["path"].notna() & (rows["expression"].notna() | (options.unlabelled == "keep"))
        return rows[kept].reset_index(drop=True)

    def expected(self) -> Expected:
        """Return how many images have a majority, or how many there are.

        How many have a name of FER+'s is not published, so that nothing is expected of files by name when those
        without a majority are kept; all with a majority have one.
        """
        every = {} if "{name" in self.options.images else IMAGES
        return Expected(
            images=_LABELLED if self.options.unlabelled == "drop" else every,
            image_size=(SIDE, SIDE),
            source="fer2013new.csv under the majority rule of FER+'s own code; the older label.csv files beside it "
            "give 25,045, 3,191 and 3,137",
        )

    def _check_order(self, tree: Tree, usage: pd.Series) -> None:
        """Refuse votes that are not in the order of the images, where these are rows."""
        if self.options.images:
            return
        images = fer2013_table(tree, self.options)["Usage"]
        if not images.equals(usage):
            raise DataError(
                f"{tree.root / self.options.votes} has {len(usage)} rows and {self.options.table} {len(images)}, or "
                "their Usage differs; votes belong to images by row, so both must be the publisher's files, unsorted"
            )


def majority(votes: np.ndarray) -> np.ndarray:
    """Return the place of the label that a majority gave, or -1: (N, number of labels) -> (N,).

    Single votes are dropped, as they are mostly slips; a label needs more than half of what is left. Places of
    "unknown" and "not a face" are returned like any other.
    """
    left = np.where(votes == 1, 0, votes)
    places = left.argmax(axis=1)
    return np.where(2 * left.max(axis=1) > left.sum(axis=1), places, -1)


READER = FerPlus
