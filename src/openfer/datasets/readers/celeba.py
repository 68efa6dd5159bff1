"""CelebA: 202,599 photographs of 10,177 celebrities with forty attributes."""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import named
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import CELEBA_ATTRIBUTES, CELEBA_GENDER
from openfer.parameters import Settings

_log = logging.getLogger(__name__)
_PARTITIONS = {"0": "train", "1": "val", "2": "test"}
_POINTS = tuple(
    f"{part}_{axis}" for part in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)
_BOX = ("x_1", "y_1", "width", "height")


class CelebAOptions(Settings):
    """Which of the two editions of the images is read.

    Attributes:
        images: the ``aligned`` crops of 178 x 218 pixels, or the ``original`` photographs, which have boxes.
    """

    images: Literal["aligned", "original"] = "aligned"


class CelebA(Reader):
    """Reads ``Img``, ``Anno`` and ``Eval``, or the same files without these folders.

    A list may be the publisher's text file or, as on Kaggle, a CSV file of the same name with a header. Identities,
    points and boxes are optional, as many copies lack them. An image has no expression: the attribute
    ``Smiling`` says what a mouth does.
    """

    about = About(
        title="CelebA",
        licence="CelebA: non-commercial research only",
        citation="Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild. ICCV 2015",
        access="mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    )
    options_class = CelebAOptions
    options: CelebAOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per line of the attribute list."""
        aligned = self.options.images == "aligned"
        folder = "img_align_celeba" if aligned else "img_celeba"
        attributes = _list(tree, "Anno/list_attr_celeba.txt", CELEBA_ATTRIBUTES, header=True)
        files = attributes.index
        rows = pd.DataFrame({"path": _image_folder(tree, folder) + files}, index=files, dtype=object)
        rows["attributes"] = _present(attributes)
        rows["gender"] = named(attributes["Male"], CELEBA_GENDER, "list_attr_celeba.txt")
        partition = _list(tree, "Eval/list_eval_partition.txt", ["partition"])["partition"]
        rows["partition"] = named(partition, _PARTITIONS, "list_eval_partition.txt").reindex(files)
        if _place(tree, "Anno/identity_CelebA.txt"):
            identity = _list(tree, "Anno/identity_CelebA.txt", ["identity"])["identity"]
            rows["identity"] = rows["subject"] = identity.reindex(files)
        points = f"Anno/list_landmarks_{'align_' if aligned else ''}celeba.txt"
        rows["landmarks"] = _numbers(tree, points, _POINTS, files)
        if not _place(tree, points):
            _log.warning("%s lacks %s, which `faces.align: points` needs; set faces.align to detect", tree.root, points)
        if not aligned:  # boxes are those of the original photographs
            rows["box"] = _numbers(tree, "Anno/list_bbox_celeba.txt", _BOX, files)
        return rows.reset_index(drop=True)

    def expected(self) -> Expected:
        """Return the published counts, without what many copies lack: the 10,177 identities, and points."""
        return Expected(
            images={"train": 162_770, "val": 19_867, "test": 19_962},
            image_size=(178, 218) if self.options.images == "aligned" else None,
            source="CelebA's web page and list_eval_partition.txt",
        )


def _place(tree: Tree, relative: str) -> str | None:
    """Return where a list is: as published, or wherever its name is found, as text or else as CSV."""
    name = PurePosixPath(relative)
    return relative if relative in tree else tree.nearest(name.name) or tree.nearest(f"{name.stem}.csv")


def _image_folder(tree: Tree, folder: str) -> str:
    """Return the folder that holds the images; it may lie in another folder of the same name."""
    found = next((file for file in tree.files if f"/{folder}/" in f"/{file}"), f"Img/{folder}/")
    return found[: found.rindex(f"{folder}/") + len(folder) + 1]


def _list(tree: Tree, relative: str, columns: Sequence[str], *, header: bool = False) -> pd.DataFrame:
    """Return a list of CelebA as text, by file name; with a header it starts with a count and the columns' names."""
    place = _place(tree, relative) or relative
    path = tree.path(place, "CelebA's list")
    if place.endswith(".csv"):
        table = tree.table(place, "CelebA's list", ["image_id", *columns]).rename(columns={"image_id": "image"})
        return _by_image(table[["image", *columns]], path, 2)
    if header:
        with path.open(encoding="utf-8", errors="replace") as file:
            names = [file.readline(), file.readline()][1].split()
        if [name for name in names if name != "image_id"] != list(columns):
            raise DataError(
                f"line 2 of {path} names the columns {names[:5]} ... ({len(names)}) instead of {list(columns)[:5]} ... "
                f"({len(columns)}); restore the publisher's text file"
            )
    table = tree.table(
        place, "CelebA's list", sep=r"\s+", skiprows=2 if header else 0, names=["image", *columns], index_col=False
    )
    return _by_image(table, path, 3 if header else 1)


def _by_image(table: pd.DataFrame, path: Path, first_line: int) -> pd.DataFrame:
    """Return a list with the images' names as index, none of them twice and none without its values."""
    broken = table.isna().any(axis=1) | table["image"].duplicated()
    if broken.any():
        line = int(broken.to_numpy().argmax()) + first_line
        raise DataError(f"line {line} of {path} is incomplete or repeats an image; restore the publisher's file")
    return table.set_index("image")


def _present(attributes: pd.DataFrame) -> list[list[str]]:
    """Return the names of the attributes that each image has."""
    values = attributes[list(CELEBA_ATTRIBUTES)].to_numpy(str)
    if not np.isin(values, ["1", "-1"]).all():
        row, column = np.argwhere(~np.isin(values, ["1", "-1"]))[0]
        raise DataError(
            f"list_attr_celeba.txt says {str(values[row, column])!r} of {attributes.index[row]}'s "
            f"{CELEBA_ATTRIBUTES[column]} instead of 1 or -1; restore the publisher's file"
        )
    names = np.array(CELEBA_ATTRIBUTES, dtype=object)
    return [names[row].tolist() for row in values == "1"]


def _numbers(tree: Tree, relative: str, columns: Sequence[str], files: pd.Index) -> pd.Series | None:
    """Return an array per image from a list of numbers; None where the copy lacks the list."""
    if not _place(tree, relative):
        return None
    table = _list(tree, relative, columns, header=True).reindex(files)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    wrong = (table.notna() & numbers.isna()).any(axis=1)
    if wrong.any():
        raise DataError(f"{relative} holds words instead of numbers for {files[int(wrong.to_numpy().argmax())]}")
    values = numbers.to_numpy(np.float32)
    known = ~np.isnan(values).any(axis=1)
    return pd.Series([v if k else None for v, k in zip(values, known, strict=True)], index=files, dtype=object)


READER = CelebA
