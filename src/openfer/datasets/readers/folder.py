"""Your own data: images in a folder per expression, or a CSV file that says what each image shows."""

import logging
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from pydantic import field_validator, model_validator

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.tree import Tree
from openfer.datasets.words import SIDES, age_groups, numbers, renamed, side_and_class, side_of
from openfer.errors import DataError
from openfer.labels import AGES, EXPRESSION_WORDS, EXPRESSIONS, GENDERS, RACES
from openfer.parameters import Settings

Factor = Literal["gender", "age", "race", "illumination", "pose"]
Edge = Literal["left", "top", "right", "bottom", "width", "height"]
Side = Literal["train", "val", "test"]
Column = Literal[
    "path",
    "expression",
    "partition",
    "subject",
    "sequence",
    "frame",
    "identity",
    "gender",
    "age",
    "race",
    "illumination",
    "pose",
    "valence",
    "arousal",
]
_NAMES: Mapping[Factor, tuple[str, ...]] = {"gender": GENDERS, "age": AGES, "race": RACES}
"""Factors with closed names; those of illumination and pose are your own."""

_BOXES = ({"left", "top", "right", "bottom"}, {"left", "top", "width", "height"})
_NUMBERS = ("frame", "valence", "arousal")


_OPTIONS = (
    "set options.images to the folder that its paths start from, or options.nearest: true to take the file of the same "
    "name"
)
_log = logging.getLogger(__name__)


class FolderOptions(Settings):
    """How your data say what they say.

    Attributes:
        table: a CSV file in the root; empty: the folders are the labels, as ``<class>/*.jpg`` or
            ``<train|val|test>/<class>/*.jpg``.
        columns: our name -> your column, such as ``{path: file, expression: label, subject: person}``.
        labels: your word or number -> expression, or null for images without one; beside the usual words.
        words: the same for ``gender``, ``age`` and ``race``, such as ``{race: {black: african}}``, and for
            ``illumination`` and ``pose``, whose names are free. An age in years needs none.
        partitions: your word -> ``train``, ``val`` or ``test``, or null for none; beside the usual words.
        points: the columns of the two pupils (4) or of eyes, nose tip and mouth corners (10), x and y alternating,
            left of the image first.
        box: edge -> the column of a face's box in pixels: ``left`` and ``top`` with ``right`` and ``bottom`` or with
            ``width`` and ``height``. Boxes or points tell several faces of one image apart.
        images: a folder that the paths in the table start from.
        nearest: True takes for a path that is not there the one file of the same name, whatever its folder, suffix,
            upper and lower case.
        licence: the terms of your data.
    """

    table: str = ""
    columns: dict[Column, str] = {"path": "path", "expression": "expression"}
    labels: dict[str, str | None] = {}
    words: dict[Factor, dict[str, str | None]] = {}
    partitions: dict[str, Side | None] = {}
    points: tuple[str, ...] = ()
    box: dict[Edge, str] = {}
    images: str = ""
    nearest: bool = False
    licence: str = "not stated"

    @field_validator("labels", "partitions", mode="before")
    @classmethod
    def _keys_are_words(cls, labels: Any) -> Any:
        return _as_words(labels)

    @field_validator("words", mode="before")
    @classmethod
    def _keys_of_words_are_words(cls, words: Any) -> Any:
        return {name: _as_words(known) for name, known in words.items()} if isinstance(words, Mapping) else words

    @field_validator("labels")
    @classmethod
    def _are_expressions(cls, labels: dict[str, str | None]) -> dict[str, str | None]:
        wrong = sorted({name for name in labels.values() if name is not None and name not in EXPRESSIONS})
        if wrong:
            raise ValueError(f"{wrong} are not expressions; the names are {', '.join(EXPRESSIONS)}")
        return labels

    @model_validator(mode="after")
    def _fits(self) -> "FolderOptions":
        if len(self.points) not in (0, 4, 10):
            raise ValueError(f"points must name 4 columns (two pupils) or 10 (five points), not {len(self.points)}")
        if self.table and "path" not in self.columns:
            raise ValueError("columns must say which column is the path")
        if self.box and set(self.box) not in _BOXES:
            raise ValueError(
                f"box names {', '.join(self.box)}; name left and top, and right and bottom or width and height"
            )
        for column, words in self.words.items():
            if column not in _NAMES:
                continue
            wrong = sorted({name for name in words.values() if name is not None and name not in _NAMES[column]})
            if wrong:
                raise ValueError(f"{wrong} are no names of {column}; these are {', '.join(_NAMES[column])}")
        return self


class Folder(Reader):
    """Reads any folder of face images."""

    about = About(title="your own data", licence="not stated", citation="No citation is known", access="Yours")
    options_class = FolderOptions
    options: FolderOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per image in class folders, or per line of the table."""
        return self._of_table(tree) if self.options.table else self._of_folders(tree)

    @property
    def licence(self) -> str:
        """The terms that you state."""
        return self.options.licence

    def expected(self) -> Expected:
        """Return nothing: only you know how many images there are."""
        return Expected()

    def _of_folders(self, tree: Tree) -> pd.DataFrame:
        paths = tree.pictures(self.options.images)
        partitions, words = [], []
        for path in paths:
            folders = PurePosixPath(path).relative_to(self.options.images or ".").parts[:-1]
            side, word = side_and_class(folders, self.options.partitions)
            if word is None:
                raise DataError(
                    f"{tree.root / path} lies in no class folder; expected are <class>/*.jpg or "
                    "<train|val|test>/<class>/*.jpg, or a CSV file named by options.table"
                )
            partitions.append(side)
            words.append(sys.intern(word))  # one object for all images of a folder
        expression = self._expressions(pd.Series(words, dtype=object), f"the folders of {tree.root}")
        return pd.DataFrame({"path": paths, "partition": partitions, "expression": expression}, dtype=object)

    def _of_table(self, tree: Tree) -> pd.DataFrame:
        options = self.options
        columns = [*options.columns.values(), *options.points, *options.box.values()]
        table = tree.table(options.table, "options.table", columns)
        written = table[options.columns["path"]]
        table = table.map(str.strip, na_action="ignore").replace({"": None})
        where = str(tree.root / options.table)
        rows = pd.DataFrame({name: table[column] for name, column in options.columns.items()}, dtype=object)
        if rows["path"].isna().any():
            raise DataError(f"{where} has {int(rows['path'].isna().sum())} lines without a path; remove them")
        rows["path"] = [self._place(tree, *both, where) for both in zip(written, rows["path"], strict=True)]
        missing = rows.loc[~rows["path"].isin(tree.files), "path"].drop_duplicates()
        if len(missing):
            words = (
                f"of the images that {where} names is there, such as {missing.iloc[0]}: {tree.advice(list(missing))}"
            )
            if len(missing) == rows["path"].nunique():
                raise DataError(f"none {words}; {_OPTIONS}")
            _log.warning("%d of the paths are not there: not each %s; %s", len(missing), words, _OPTIONS)
        if "expression" in rows:
            rows["expression"] = self._expressions(rows["expression"], where)
        if "partition" in rows:
            known = {**SIDES, **self._sides(rows["partition"])}
            remedy = "say what your words mean, as options.partitions: {fold1: train}"
            rows["partition"] = renamed(rows["partition"], known, where, "partition", remedy)
        for name in get_args(Factor):
            if name in rows:
                rows[name] = self._factor(name, rows[name], where)
        for column in rows.columns.intersection(list(_NUMBERS)):
            rows[column] = numbers(rows[[column]], where)[:, 0]
        if options.points:
            points = numbers(table[list(options.points)], where)
            known = ~np.isnan(points).any(axis=1)
            rows["landmarks"] = pd.Series([p if k else None for p, k in zip(points, known, strict=True)], dtype=object)
        if options.box:
            rows["box"] = _boxes(table, options.box, where)
        return rows

    def _sides(self, words: pd.Series) -> dict[str, str | None]:
        """Return the sides that the words of a table name."""
        named = {str(word): side_of(str(word), self.options.partitions) for word in words.dropna().unique()}
        return {**{word: side for word, side in named.items() if side}, **self.options.partitions}

    def _factor(self, name: Factor, words: pd.Series, where: str) -> pd.Series:
        """Return the names of a factor: the label contract's, or a set's own where these are free."""
        given = age_groups(words) if name == "age" else words
        names = _NAMES.get(name) or tuple(map(str, given.dropna().unique()))
        known = {**dict(zip(names, names, strict=True)), **self.options.words.get(name, {})}
        return renamed(given, known, where, name, f"add the word to options.words.{name}")

    def _place(self, tree: Tree, written: str, path: str, where: str) -> str:
        """Return the file that a line means, without the blanks around its path unless the file's name has them."""
        folder = PurePosixPath(self.options.images)
        for name in (str(folder / written), str(folder / path)):
            if tree.resolve(name) in tree:
                return tree.resolve(name)
        near = tree.nearest_to(path) if self.options.nearest else None
        return near or tree.check_name(str(folder / path), where)

    def _expressions(self, words: pd.Series, where: str) -> pd.Series:
        known = {**EXPRESSION_WORDS, **self.options.labels}
        remedy = "say what your words mean, as options.labels: {grin: happiness, bored: null}"
        return renamed(words, known, where, "expression", remedy)


def _as_words(labels: Any) -> Any:
    """Return a map whose keys are words, as YAML reads folders that are called 1 and 2 as numbers."""
    return {str(word): name for word, name in labels.items()} if isinstance(labels, Mapping) else labels


def _boxes(table: pd.DataFrame, columns: Mapping[Edge, str], where: str) -> pd.Series:
    """Return boxes as left, top, width and height; null where an edge is empty."""
    edges = dict(zip(columns, numbers(table[list(columns.values())], where).T, strict=True))
    width = edges["width"] if "width" in edges else edges["right"] - edges["left"]
    height = edges["height"] if "height" in edges else edges["bottom"] - edges["top"]
    boxes = np.stack([edges["left"], edges["top"], width, height], axis=1)
    return pd.Series([None if np.isnan(box).any() else box for box in boxes], index=table.index, dtype=object)


READER = Folder
