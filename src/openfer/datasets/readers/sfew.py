"""SFEW 2.0: 1,766 stills from films with seven expressions; the test labels are not public."""

from typing import Literal

import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import named
from openfer.datasets.layouts import PICTURE, matching_files
from openfer.datasets.tree import Tree
from openfer.labels import SFEW
from openfer.parameters import Settings

_FILE = rf"(?:(?P<word>(?!\w*Aligned_Faces)[^/]+)/)?(?P<stem>[^/]+){PICTURE}"
_PATTERNS = {
    "original": rf"(?:.*/)?(?P<partition>Train|Val|Test)/{_FILE}",
    "aligned": rf"(?:.*/)?(?P<partition>Train|Val|Test)_Aligned_Faces\w*/{_FILE}",
}
_LAYOUTS = {
    "original": ["Train/Angry/*.png"],
    "aligned": ["Train/Train_Aligned_Faces/Angry/*.png", "Train_Aligned_Faces/Angry/*.png"],
}
_TRAIN = {"anger": 178, "disgust": 66, "fear": 98, "happiness": 198, "neutral": 150, "sadness": 172, "surprise": 96}
_VAL = {"anger": 77, "disgust": 23, "fear": 47, "happiness": 73, "neutral": 86, "sadness": 73, "surprise": 57}


class SfewOptions(Settings):
    """Which of the two editions of the images is read.

    Attributes:
        images: ``original`` stills of films, or the publisher's ``aligned`` crops, of which some are missing.
    """

    images: Literal["original", "aligned"] = "original"


class Sfew(Reader):
    """Reads ``Train``, ``Val`` and, where it is there, ``Test``, with a folder per expression.

    Who is in a still is not published. Its film stands for the subject, so that no face is on both sides of a
    fold; its clip is the sequence.
    """

    about = About(
        title="SFEW 2.0",
        licence="SFEW: non-commercial research only, signed agreement",
        citation="Dhall, Ramana Murthy, Goecke, Joshi, Gedeon: Video and Image based Emotion Recognition Challenges "
        "in the Wild: EmotiW 2015. ICMI 2015",
        access="request from its authors (Abhinav Dhall)",
    )
    options_class = SfewOptions
    options: SfewOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the stills or crops of all partitions."""
        images = self.options.images
        files = matching_files(tree, _PATTERNS[images], _LAYOUTS[images], f"{images} image of SFEW")
        words = files["word"].where(files["word"].notna() | (files["partition"] == "Test"), files["partition"])
        table = files[["path"]].assign(partition=files["partition"].str.lower())
        table["expression"] = named(words, SFEW, f"{tree.root}, a folder of {images} images,")
        table["subject"] = files["stem"].str.rsplit("_", n=2).str[0]
        table["sequence"] = files["stem"].str.rsplit("_", n=1).str[0]
        return table

    def expected(self) -> Expected:
        """Return the counts of the stills, or of the crops that the publisher's detector found.

        The 372 test images, which have no public labels, are left out: many copies lack them.
        """
        if self.options.images == "aligned":
            return Expected(images={"train": 891, "val": 431}, source="papers that use the crops")
        return Expected(
            images={"train": 958, "val": 436},
            classes={"train": _TRAIN, "val": _VAL},
            source="EmotiW 2015, static sub-challenge",
        )


READER = Sfew
