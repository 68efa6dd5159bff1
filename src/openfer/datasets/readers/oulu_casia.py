"""Oulu-CASIA: 80 people pose six expressions, from neutral to the peak, under three lights and two cameras."""

from typing import Literal

import pandas as pd
from pydantic import Field

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.frames import THREE, chosen_frames
from openfer.datasets.labelling import named
from openfer.datasets.layouts import PICTURE, matching_files
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import OULU_CASIA
from openfer.parameters import Settings

_FOLDERS = {"original": "Original ?_?Img", "preprocessed": "Pre-?[Pp]rocess(?: ?_?Img)?"}
_EXAMPLES = {"original": ("OriginalImg/{}",), "preprocessed": ("PreProcess Img/{}_Acropped", "PreProcess/{}_Acropped")}
_SPECTRA = {"visible": "VL", "infrared": "NI"}
_SUBJECTS = 80


class OuluCasiaOptions(Settings):
    """Which recordings are read, and which of their frames.

    Attributes:
        images: ``original`` frames, or the publisher's ``preprocessed`` crops.
        spectrum: the ``visible`` or the near-``infrared`` camera.
        light: ``strong`` (papers), ``weak`` or ``dark``.
        frames: those that carry a sequence's expression.
        neutral: how many first frames of each sequence are added as neutral faces.
    """

    images: Literal["original", "preprocessed"] = "original"
    spectrum: Literal["visible", "infrared"] = "visible"
    light: Literal["strong", "weak", "dark"] = "strong"
    frames: Literal["last_three", "all"] = "last_three"
    neutral: int = Field(0, ge=0)


class OuluCasia(Reader):
    """Reads ``OriginalImg/VL/Strong/P001/Anger/000.jpeg`` or ``PreProcess Img/VL_Acropped/Strong/...``.

    The folder above has several names in circulation, such as ``B_OriginalImg``, ``PreProcess`` and
    ``PreProcess_Img``.
    """

    about = About(
        title="Oulu-CASIA",
        licence="Oulu-CASIA: non-commercial research only, signed agreement",
        citation="Zhao, Huang, Taini, Li, Pietikäinen: Facial expression recognition from near-infrared videos. "
        "Image and Vision Computing 29, 2011",
        access="request from the Center for Machine Vision and Signal Analysis, University of Oulu",
    )
    options_class = OuluCasiaOptions
    options: OuluCasiaOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the chosen frames with expression and subject."""
        spectrum, light = _SPECTRA[self.options.spectrum], self.options.light.capitalize()
        images = self.options.images
        above = rf"(?:.*/)?(?:[A-Z]_)?{_FOLDERS[images]}/{spectrum}(?:_Acropped)?/{light}"
        table = matching_files(
            tree,
            rf"{above}/(?P<subject>P\d{{3}})/(?P<word>[^/]+)/(?P<frame>\d+){PICTURE}",
            [f"{name.format(spectrum)}/{light}/P001/Anger/000.jpeg" for name in _EXAMPLES[images]],
            f"{images} image of Oulu-CASIA",
        )
        table["sequence"] = table["subject"] + "_" + table["word"]
        table["frame"] = table["frame"].astype(int)
        _check_once(tree, table)
        table = chosen_frames(table, self.options.frames, self.options.neutral)
        table["expression"] = named(table["word"], OULU_CASIA, f"{tree.root}, a folder of P001 to P080,")
        table.loc[table["is_neutral"], "expression"] = "neutral"
        return table.drop(columns=["word", "is_neutral"])

    def expected(self) -> Expected:
        """Return the counts of the paper: 80 people, six sequences each, times the frames of the rule."""
        sequences = _SUBJECTS * len(OULU_CASIA)
        source = "Zhao et al. 2011: 80 people with six expressions under each light; three frames of each sequence"
        if self.options.frames == "all":
            return Expected(subjects=_SUBJECTS, sequences=sequences, source=source)
        classes = dict.fromkeys(OULU_CASIA.values(), THREE * _SUBJECTS)
        if self.options.neutral:
            classes["neutral"] = self.options.neutral * sequences
        return Expected(
            images={"": sequences * (THREE + self.options.neutral)},
            classes={"": classes},
            subjects=_SUBJECTS,
            sequences=sequences,
            source=source,
        )


def _check_once(tree: Tree, table: pd.DataFrame) -> None:
    """Refuse a copy in which a frame lies in two folders, as frames of a sequence are counted."""
    twice = table[table.duplicated(["sequence", "frame"], keep=False)].sort_values(["sequence", "frame"])
    if len(twice):
        first, second = twice["path"].iloc[:2]
        raise DataError(f"{tree.root} has the same frame as {first} and as {second}; keep one of these folders")


READER = OuluCasia
