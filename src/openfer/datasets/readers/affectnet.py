"""AffectNet, the manually annotated part: 420,299 photographs from the web; eight expressions, valence, arousal."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal

import pandas as pd

from openfer.datasets.affectnet_files import LAYOUTS
from openfer.datasets.challenge import ChallengeLists, challenge_subsets
from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import integers, named
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import AFFECTNET
from openfer.parameters import Settings

_MISSING = -2  # the publisher's valence and arousal of what nobody rated
_TRAIN = {
    **{"neutral": 74_874, "happiness": 134_415, "sadness": 25_459, "surprise": 14_090},
    **{"fear": 6_378, "disgust": 3_803, "anger": 24_882, "contempt": 3_750},
}
_PER_CLASS = 500
_UNLABELLED = {"train": 127_148, "test": 1_500}
_LOST = {"csv": 0, "npy": 1}  # the later layout lacks one validation image of contempt


class AffectNetOptions(Settings):
    """Which edition is read, and as how many classes.

    Attributes:
        layout: ``csv`` is the release of 2017 (``training.csv``, ``Manually_Annotated_Images``); ``npy`` the later one
            (``train_set``, ``val_set``, an array file per value).
        classes: 8, or 7, where contempt is no label: such rows are then unlabelled ones.
        unlabelled: what happens to rows without an expression (codes 8, 9 and 10; contempt where classes is 7):
            ``drop`` leaves them out, ``keep`` keeps them with a null expression, as they may have valence and arousal.
        challenge: the public occlusion and pose lists; they fit the layout ``csv``, whose file names they use.
    """

    layout: Literal["csv", "npy"] = "csv"
    classes: Literal[7, 8] = 8
    unlabelled: Literal["drop", "keep"] = "drop"
    challenge: ChallengeLists = ChallengeLists()


class AffectNet(Reader):
    """Reads either layout.

    The publisher's test set was never released; papers test on the validation set, which is therefore the
    partition ``test``. Neither layout has a partition ``val``: a protocol takes one from ``train``.
    """

    about = About(
        title="AffectNet (manually annotated)",
        licence="AffectNet: non-commercial research only, on request from its authors",
        citation="Mollahosseini, Hasani, Mahoor: AffectNet: A Database for Facial Expression, Valence, and Arousal "
        "Computing in the Wild. IEEE Transactions on Affective Computing 10(1), 2019",
        access="request at mohammadmahoor.com/affectnet",
    )
    options_class = AffectNetOptions
    options: AffectNetOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the rows of both lists, or of both folders of array files."""
        layout, where = LAYOUTS[self.options.layout], f"AffectNet's {self.options.layout} annotations"
        parts = [layout.rows(tree, partition).assign(partition=partition) for partition in ("train", "test")]
        table = pd.concat(parts, ignore_index=True)
        table["expression"] = named(integers(table["expression"], where), self._names(), where)
        stems = table["path"].map(lambda path: PurePosixPath(path).stem).where(table["partition"] == "test")
        labelled = table["expression"].notna()
        # an entry of contempt is known here and belongs to no subset of seven classes
        table["subsets"] = challenge_subsets(tree, stems, self.options.challenge).where(labelled, None)
        if self.options.unlabelled == "drop":
            table = table[labelled].reset_index(drop=True)
        for column in ("valence", "arousal"):
            table[column] = _rated(table[column], column, where)
        sides = table.groupby("partition")["entry"]
        points = pd.concat([layout.landmarks(tree, str(side), entries) for side, entries in sides])
        table["landmarks"] = points.where(points.notna(), None)
        return table.drop(columns="entry")

    def expected(self) -> Expected:
        """Return the published counts of the expressions under these options."""
        names = [name for name in self._names().values() if name]
        lost = _LOST[self.options.layout]
        test = {name: _PER_CLASS - (lost if name == "contempt" else 0) for name in names}
        classes = {"train": {name: _TRAIN[name] for name in names}, "test": test}
        images = {side: sum(counts.values()) for side, counts in classes.items()}
        if self.options.unlabelled == "keep":
            every = {"train": sum(_TRAIN.values()), "test": 8 * _PER_CLASS - lost}
            other = _UNLABELLED if self.options.layout == "csv" else {"train": 0, "test": 0}
            images = {side: every[side] + other[side] for side in every}
        return Expected(
            images=images,
            classes=classes,
            image_size=(224, 224) if self.options.layout == "npy" else None,
            landmarks=self.options.unlabelled == "drop",  # what shows no face has no points
            source="the paper's table of annotated images per category, less 500 per category for validation; "
            "the later layout's web page (287,651 and 3,999)",
        )

    def _names(self) -> Mapping[int, str | None]:
        return AFFECTNET if self.options.classes == 8 else {**AFFECTNET, 7: None}


def _rated(values: pd.Series, column: str, where: str) -> pd.Series:
    """Return valence or arousal; null where nobody rated it."""
    numbers = pd.to_numeric(values, errors="coerce")
    numbers = numbers.mask(numbers == _MISSING)
    wrong = values.notna() & ~numbers.between(-1, 1) & (pd.to_numeric(values, errors="coerce") != _MISSING)
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{where} hold {column} {values.iloc[place]!r} (entry {place + 1}), which is not in -1 to 1 or -2"
        )
    return numbers


READER = AffectNet
