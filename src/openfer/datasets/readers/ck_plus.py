"""CK+: 593 posed sequences from neutral to the peak, 327 of them with one of seven expressions."""

from typing import Literal

import pandas as pd
from pydantic import Field

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.frames import THREE, chosen_frames
from openfer.datasets.labelling import integers, named
from openfer.datasets.layouts import PICTURE, matching_files
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import CK_PLUS
from openfer.parameters import Settings

_SEQUENCE = r"(?P<subject>S\d{3})/(?P<part>\d{3})"
_IMAGES = rf"(?:.*/)?cohn-kanade-images/{_SEQUENCE}/(?P<stem>S\d{{3}}_\d{{3}}_(?P<frame>\d{{8}})){PICTURE}"
_EMOTIONS = rf"(?:.*/)?Emotion/{_SEQUENCE}/[^/]+_emotion\.txt"
_LANDMARKS = "_landmarks.txt"
_POINTS = 68
_SEQUENCES = {
    "anger": 45,
    "contempt": 18,
    "disgust": 59,
    "fear": 25,
    "happiness": 69,
    "sadness": 28,
    "surprise": 83,
}

_UNLABELLED = 266
"""Sequences without an expression."""

_WITHOUT_CONTEMPT = 6


class CkPlusOptions(Settings):
    """Which frames of which sequences are read.

    Attributes:
        classes: 7, or 6, where sequences of contempt are left out.
        frames: those that carry a sequence's expression.
        neutral: how many first frames of each sequence are added as neutral faces.
        unlabelled: also read the 266 sequences without an expression.
    """

    classes: Literal[6, 7] = 7
    frames: Literal["last_three", "all"] = "last_three"
    neutral: int = Field(0, ge=0)
    unlabelled: bool = False


class CkPlus(Reader):
    """Reads ``cohn-kanade-images``, ``Emotion`` and, where it is there, ``Landmarks``."""

    about = About(
        title="CK+",
        licence="CK+: non-commercial research only, on request from its authors; no redistribution",
        citation="Lucey, Cohn, Kanade, Saragih, Ambadar, Matthews: The Extended Cohn-Kanade Dataset (CK+). "
        "CVPR Workshops 2010",
        access="request at jeffcohn.net/Resources",
    )
    options_class = CkPlusOptions
    options: CkPlusOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the chosen frames with expression, subject and, where the copy has them, 68 points."""
        images = matching_files(tree, _IMAGES, ["cohn-kanade-images/S005/001/S005_001_00000001.png"], "image of CK+")
        images["sequence"] = images["subject"] + "_" + images["part"]
        images["frame"] = images["frame"].astype(int)
        images["expression"] = images["sequence"].map(_emotions(tree))
        if self.options.classes == _WITHOUT_CONTEMPT:
            images = images[images["expression"] != "contempt"]
        if not self.options.unlabelled:
            images = images[images["expression"].notna()]
        table = chosen_frames(images, self.options.frames, self.options.neutral)
        table.loc[table["is_neutral"], "expression"] = "neutral"
        points = {name.rsplit("/", 1)[1].removesuffix(_LANDMARKS): name for name in tree.find(f"*{_LANDMARKS}")}
        table["landmarks"] = pd.Series([_landmarks(tree, points.get(stem)) for stem in table["stem"]], dtype=object)
        return table.drop(columns=["part", "stem", "is_neutral"])

    def expected(self) -> Expected:
        """Return the counts of the CVPR paper's Table 3, times the frames of the rule."""
        whole = self.options.classes != _WITHOUT_CONTEMPT
        labelled = {name: count for name, count in _SEQUENCES.items() if whole or name != "contempt"}
        sequences = sum(labelled.values()) + (_UNLABELLED if self.options.unlabelled else 0)
        people = 123 if self.options.unlabelled else 118
        subjects = people if whole else None  # nobody states who shows contempt alone
        source = "Lucey et al. 2010, Table 3; three frames of each sequence"
        if self.options.frames == "all":
            return Expected(subjects=subjects, sequences=sequences, source=source)
        classes = {name: THREE * count for name, count in labelled.items()}
        if self.options.neutral:
            classes["neutral"] = self.options.neutral * sequences
        return Expected(
            images={"": sequences * (THREE + self.options.neutral)},
            classes={"": classes},
            subjects=subjects,
            sequences=sequences,
            source=source,
        )


def _emotions(tree: Tree) -> dict[str, str]:
    """Return the expression of each labelled sequence."""
    files = matching_files(tree, _EMOTIONS, ["Emotion/S005/001/S005_001_00000011_emotion.txt"], "label of CK+")
    sequences = files["subject"] + "_" + files["part"]
    twice = sequences.duplicated()
    if twice.any():
        raise DataError(f"{tree.root} has several emotion files of {sequences[twice].iloc[0]}; keep the publisher's")
    found: dict[str, str] = {}
    for sequence, path in zip(sequences, files["path"], strict=True):
        words = pd.Series(" ".join(tree.lines(path, "CK+'s emotion")).split(), dtype=object)
        if len(words) != 1:
            raise DataError(f"{tree.root / path} holds {len(words)} values where one emotion code is expected")
        found[sequence] = named(integers(words, path), CK_PLUS, path).iloc[0]
    return found


def _landmarks(tree: Tree, relative: str | None) -> list[float] | None:
    """Return the 68 points of a frame; None where the copy has none."""
    if relative is None:
        return None
    words = " ".join(tree.lines(relative, "CK+'s landmarks")).split()
    try:
        points = [float(word) for word in words]
        if len(points) != 2 * _POINTS:
            raise ValueError(f"{len(points)} numbers")
    except ValueError as error:
        raise DataError(f"{tree.root / relative} is not {_POINTS} points ({error}); restore it") from error
    return points


READER = CkPlus
