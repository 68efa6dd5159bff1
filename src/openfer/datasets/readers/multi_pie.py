"""Multi-PIE: 337 people under 15 views and 19 illuminations, in up to four sessions."""

from typing import Literal

import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import integers, named
from openfer.datasets.layouts import PICTURE, matching_files
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import AGES, MULTI_PIE, MULTI_PIE_CAMERA, MULTI_PIE_GENDER, MULTI_PIE_LIGHT
from openfer.parameters import Settings

_MULTIVIEW = (
    r"(?:.*/)?session(?P<session>\d\d)/multiview/(?P<subject>\d{3})/(?P<recording>\d\d)/(?P<camera>\d\d_\d)"
    rf"/(?P<stem>[^/]+){PICTURE}"
)
_HIGHRES = rf"(?:.*/)?session(?P<session>\d\d)/highres/(?P<subject>\d{{3}})/(?P<stem>[^/]+){PICTURE}"
_SUBJECTS = "meta/subject_list.txt"
_WORDS_OF_A_SUBJECT = 7
_RECORDED = (2004, 2005)  # October 2004 to March 2005
_AGE_STARTS = (0, 4, 20, 40, 70)
_ATTENDED = {"01": 249, "02": 203, "03": 230, "04": 239}
_IMAGES_OF_A_RECORDING = 15 * 20


class MultiPieOptions(Settings):
    """Which of the images are read.

    Attributes:
        images: ``multiview`` (15 cameras, 20 lights), the ``highres`` frontal photographs, or ``all``.
        second_dark_image: also read the last of the 20 images, which repeats the first one's light (no flash).
    """

    images: Literal["multiview", "highres", "all"] = "multiview"
    second_dark_image: bool = True


class MultiPie(Reader):
    """Reads ``data/session01/multiview/001/01/05_1/001_01_01_051_00.png`` and ``data/session01/highres/001/``.

    Of the 20 images that a camera takes in a recording, 00 and 19 have no flash and 01 to 18 one flash each:
    19 illuminations, the first one twice.
    """

    about = About(
        title="Multi-PIE",
        licence="Multi-PIE: bought licence, internal research use, no redistribution",
        citation="Gross, Matthews, Cohn, Kanade, Baker: Multi-PIE. Image and Vision Computing 28, 2010",
        access="licence from Carnegie Mellon University (CMU Flintbox)",
    )
    options_class = MultiPieOptions
    options: MultiPieOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the images with person, pose and illumination, and an expression where it has a name."""
        parts = []
        if self.options.images != "highres":
            parts.append(_multiview(tree, second_dark_image=self.options.second_dark_image))
        if self.options.images != "multiview":
            parts.append(_highres(tree))
        table = pd.concat(parts, ignore_index=True)
        recordings = table["session"] + "/" + table["recording"]
        table["expression"] = named(recordings, MULTI_PIE, f"{tree.root}, session/recording in a file name,")
        table["sequence"] = table["subject"] + "_" + table["session"] + "_" + table["recording"]
        table["identity"] = table["subject"]
        people = _people(tree)
        table["gender"] = table["subject"].map(people["gender"]).astype(object)
        table["age"] = table["subject"].map(people["age"]).astype(object)
        return table.drop(columns=["session", "recording"])

    def expected(self) -> Expected:
        """Return the counts of the papers: who attended each session, times recordings, cameras and lights."""
        each = _IMAGES_OF_A_RECORDING - (0 if self.options.second_dark_image else 15)
        multiview = each * sum(_ATTENDED[recording[:2]] for recording in MULTI_PIE)
        highres = sum(_ATTENDED.values()) + _ATTENDED["01"]
        images = {"multiview": multiview, "highres": highres, "all": multiview + highres}[self.options.images]
        classes: dict[str, int] = {}
        for recording, expression in MULTI_PIE.items():
            if expression is not None:
                classes[expression] = classes.get(expression, 0) + each * _ATTENDED[recording[:2]]
        return Expected(
            images={"": images},
            classes={"": classes} if self.options.images == "multiview" else {},
            subjects=337,
            source="Gross et al. 2010: 249, 203, 230 and 239 people in the four sessions, 755,370 images",
        )


def _multiview(tree: Tree, *, second_dark_image: bool) -> pd.DataFrame:
    table = matching_files(
        tree, _MULTIVIEW, ["data/session01/multiview/001/01/05_1/001_01_01_051_00.png"], "multiview image of Multi-PIE"
    )
    codes = table["camera"].str.replace("_", "")
    folders = table["subject"] + "_" + table["session"] + "_" + table["recording"] + "_" + codes
    _agrees(tree, table, table["stem"].str.rsplit("_", n=1).str[0] == folders)
    lights = integers(table["stem"].str.rsplit("_", n=1).str[-1], f"{tree.root}, a file name,")
    table["illumination"] = named(lights, MULTI_PIE_LIGHT, f"{tree.root}, the light in a file name,")
    table["pose"] = named(table["camera"], MULTI_PIE_CAMERA, f"{tree.root}, a folder of a camera,")
    kept = table.drop(columns=["camera", "stem"])
    return kept if second_dark_image else kept[lights != max(MULTI_PIE_LIGHT)]


def _highres(tree: Tree) -> pd.DataFrame:
    """Return the frontal photographs; their names end with the recording, as ``001_01_01`` or ``001_01``."""
    table = matching_files(
        tree, _HIGHRES, ["data/session01/highres/001/001_01_01.png"], "high-resolution image of Multi-PIE"
    )
    table["recording"] = table["stem"].str.rsplit("_", n=1).str[-1]
    short = table["subject"] + "_" + table["recording"]
    long = table["subject"] + "_" + table["session"] + "_" + table["recording"]
    _agrees(tree, table, (table["stem"] == short) | (table["stem"] == long))
    return table.drop(columns=["stem"]).assign(pose=MULTI_PIE_CAMERA["05_1"])


def _agrees(tree: Tree, table: pd.DataFrame, agreement: pd.Series) -> None:
    if not agreement.all():
        path = table.loc[~agreement, "path"].iloc[0]
        raise DataError(
            f"{tree.root / path} is not named after its folders ({int((~agreement).sum())} files are not); "
            "restore the publisher's names, as in session01/multiview/001/01/05_1/001_01_01_051_00.png"
        )


def _people(tree: Tree) -> pd.DataFrame:
    """Return gender and age by subject from ``subject_list.txt``; empty where the copy lacks it.

    A line is: subject, year of birth, gender, and four marks of attendance. The year leaves two ages possible
    or three; an age group is given where all fall into it.
    """
    place = tree.nearest(_SUBJECTS)
    if place is None:
        return pd.DataFrame({"gender": [], "age": []}, dtype=object)
    lines = [line.split() for line in tree.lines(place, "Multi-PIE's subjects")]
    wrong = next((number for number, words in enumerate(lines, 1) if len(words) < _WORDS_OF_A_SUBJECT), None)
    if wrong is not None:
        raise DataError(
            f"line {wrong} of {tree.root / place} is not `<subject> <birth year> <gender> <four sessions>`: "
            f"{' '.join(lines[wrong - 1])!r}"
        )
    table = pd.DataFrame([words[:3] for words in lines], columns=["subject", "year", "gender"])
    years = integers(table["year"], place)
    people = pd.DataFrame({"gender": named(table["gender"], MULTI_PIE_GENDER, place)})
    people["age"] = pd.Series([_age_group(int(year)) for year in years], dtype=object)
    return people.set_index(table["subject"].str.zfill(3))


def _age_group(year: int) -> str | None:
    ages = (_RECORDED[0] - year - 1, _RECORDED[1] - year)
    youngest, oldest = (sum(age >= start for start in _AGE_STARTS) - 1 for age in ages)
    return AGES[youngest] if youngest == oldest else None


READER = MultiPie
