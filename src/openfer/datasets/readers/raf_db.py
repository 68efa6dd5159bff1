"""RAF-DB, the basic set: 15,339 photographs from the web with seven expressions."""

import logging
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Literal

import pandas as pd

from openfer.datasets.challenge import ChallengeLists, challenge_subsets
from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import integers, named
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import RAF_DB, RAF_DB_AGE, RAF_DB_GENDER, RAF_DB_RACE
from openfer.parameters import Settings

_log = logging.getLogger(__name__)
_LABELS = "EmoLabel/list_patition_label.txt"  # the publisher's own spelling
_ENDING = r"(?i)(_aligned)?\.(jpe?g|png|bmp)$"
"""What copies of the list write behind an image's name."""

_VALUES = 2
_POINTS = 5
_MANUAL = "_manu_attri.txt"
_ATTRIBUTES = ("gender", "race", "age")
_TRAIN = {"neutral": 2524, "happiness": 4772, "sadness": 1982, "surprise": 1290, "fear": 281, "disgust": 717}
_TEST = {"neutral": 680, "happiness": 1185, "sadness": 478, "surprise": 329, "fear": 74, "disgust": 160}


class RafDbOptions(Settings):
    """Which of the two editions of the images is read, and where the challenge lists are.

    Attributes:
        images: ``original`` photographs, which have points, or the publisher's ``aligned`` 100-pixel crops.
        challenge: the public occlusion and pose lists.
    """

    images: Literal["original", "aligned"] = "original"
    challenge: ChallengeLists = ChallengeLists()


class RafDb(Reader):
    """Reads ``basic/`` with ``EmoLabel``, ``Image`` and, where it is there, ``Annotation/manual``.

    Images and annotations are found by their names below these folders, as an archive may have been unpacked into a
    folder of the same name (``manual/manual``).
    """

    about = About(
        title="RAF-DB (basic)",
        licence="RAF-DB: non-commercial research only, on request from its authors",
        citation="Li, Deng, Du: Reliable Crowdsourcing and Deep Locality-Preserving Learning for Expression "
        "Recognition in the Wild. CVPR 2017",
        access="request at whdeng.cn/RAF/model1.html",
    )
    options_class = RafDbOptions
    options: RafDbOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the rows in ``list_patition_label.txt``, with manual attributes and points where given."""
        table = _table(tree)
        stem = table["file"].str.replace(_ENDING, "", regex=True)
        suffix = "_aligned" if self.options.images == "aligned" else ""
        folder = f"Image/{self.options.images}"
        images = {PurePosixPath(name).stem: path for name, path in _by_name(tree.pictures(folder)).items()}
        paths = [images.get(name, f"{folder}/{name}.jpg") for name in stem + suffix]
        rows = pd.DataFrame({"path": paths}, dtype=object)
        rows["partition"] = named(stem.str.split("_").str[0], {"train": "train", "test": "test"}, _LABELS)
        rows["expression"] = named(integers(table["code"], _LABELS), RAF_DB, _LABELS)
        tested = stem.where(rows["partition"] == "test")
        rows["subsets"] = challenge_subsets(tree, tested, self.options.challenge)
        places = _by_name(tree.with_suffix("Annotation", [_MANUAL]))
        manual = [_manual(tree, places.get(f"{name}{_MANUAL}")) for name in stem]
        for attribute, names in zip(_ATTRIBUTES, (RAF_DB_GENDER, RAF_DB_RACE, RAF_DB_AGE), strict=True):
            codes = pd.Series([m and m[1][attribute] for m in manual], dtype="Int64")
            rows[attribute] = named(codes, names, "Annotation/manual")
        if self.options.images == "original":  # the points are those of the original photographs
            rows["landmarks"] = pd.Series([m and m[0] for m in manual], dtype=object)
            if None in manual:
                _log.warning(
                    "%d of the %d images of %s have no manual annotation (Annotation/manual/*%s), which `faces.align: "
                    "points` needs: unpack manual.zip, or set faces.align to detect",
                    *(manual.count(None), len(manual), tree.root, _MANUAL),
                )
        return rows

    def advice(self, files: Collection[str]) -> str:
        """Name the other edition of the images, where the copy has that one."""
        other = "aligned" if self.options.images == "original" else "original"
        found = [file for file in files if file.startswith(f"Image/{other}/")]
        if not found:
            return ""
        aligned = "; faces: {align: whole}" if other == "aligned" else ""
        return (
            f"the copy has the {other} images, {len(found):,} files such as {min(found)}: set options: {{images: "
            f"{other}}}{aligned} in the dataset's block"
        )

    def expected(self) -> Expected:
        """Return the counts of the CVPR paper's basic set."""
        return Expected(
            images={"train": 12_271, "test": 3_068},
            classes={"train": _TRAIN | {"anger": 705}, "test": _TEST | {"anger": 162}},
            image_size=(100, 100) if self.options.images == "aligned" else None,
            landmarks=self.options.images == "original",
            source="RAF-DB's read-me and list_patition_label.txt",
        )


def _table(tree: Tree) -> pd.DataFrame:
    """Return the list as ``file, code``; copies of it separate them by commas, or have further values behind them."""
    lines = [line.replace(",", " ").split() for line in tree.lines(_LABELS, "RAF-DB's partition and labels")]
    wrong = next((number for number, words in enumerate(lines, 1) if len(words) < _VALUES), None)
    if wrong is not None:
        raise DataError(
            f"line {wrong} of {tree.root / _LABELS} is not `<image> <label>`: {' '.join(lines[wrong - 1])!r}; restore "
            "it from the publisher's copy"
        )
    longer = sum(len(words) > _VALUES for words in lines)
    if longer:
        _log.warning(
            "%d of the %d lines of %s have further values, which are not read: only image and label count",
            *(longer, len(lines), tree.root / _LABELS),
        )
    return pd.DataFrame([words[:_VALUES] for words in lines], columns=["file", "code"])


def _by_name(files: list[str]) -> dict[str, str]:
    """Return files by their names; of several with one name the one nearest to the root."""
    deepest_first = sorted(files, key=lambda file: (file.count("/"), file), reverse=True)
    return {PurePosixPath(file).name: file for file in deepest_first}


def _manual(tree: Tree, relative: str | None) -> tuple[list[float], dict[str, int]] | None:
    """Return the five points and the three codes of a manual annotation; None where the copy has none."""
    if relative is None:
        return None
    lines = tree.lines(relative, "manual attributes")
    try:
        points = [float(number) for line in lines[:_POINTS] for number in line.split()]
        codes = [int(line) for line in lines[_POINTS:]]
        if len(points) != 2 * _POINTS or len(codes) != len(_ATTRIBUTES):
            raise ValueError(f"{len(points)} coordinates and {len(codes)} codes")
    except ValueError as error:
        raise DataError(
            f"{tree.root / relative} is not five points and three codes ({error}); restore it from the publisher's copy"
        ) from error
    return points, dict(zip(_ATTRIBUTES, codes, strict=True))


READER = RafDb
