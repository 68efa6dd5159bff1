"""Your own data: images in a folder per expression, or a CSV file that says what each image shows."""

import sys
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import field_validator, model_validator

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.io.images import IMAGES
from openfer.labels import AGES, EXPRESSION_WORDS, EXPRESSIONS, GENDERS, RACES
from openfer.parameters import Settings

Factor = Literal["gender", "age", "race"]
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
    "valence",
    "arousal",
]
_NAMES: Mapping[Factor, tuple[str, ...]] = {"gender": GENDERS, "age": AGES, "race": RACES}
_NUMBERS = ("frame", "valence", "arousal")
_NO_NUMBER = ("na", "nan", "n/a", "none", "null")
_PARTITIONS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


class FolderOptions(Settings):
    """How your data say what they say.

    Attributes:
        table: a CSV file in the root; empty: the folders are the labels, as ``<class>/*.jpg`` or
            ``<train|val|test>/<class>/*.jpg``.
        columns: our name -> your column, such as ``{path: file, expression: label, subject: person}``.
        labels: your word or number -> expression, or null for images without one; beside the usual words.
        words: the same for ``gender``, ``age`` and ``race``, such as ``{race: {black: african}}``. An age in years
            needs none.
        points: the columns of the two pupils (4) or of eyes, nose tip and mouth corners (10), x and y alternating,
            left of the image first.
        images: a folder that the paths in the table start from.
        licence: the terms of your data.
    """

    table: str = ""
    columns: dict[Column, str] = {"path": "path", "expression": "expression"}
    labels: dict[str, str | None] = {}
    words: dict[Factor, dict[str, str | None]] = {}
    points: tuple[str, ...] = ()
    images: str = ""
    licence: str = "not stated"

    @field_validator("labels", mode="before")
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
            raise ValueError(f"{wrong} are no expressions; the names are {', '.join(EXPRESSIONS)}")
        return labels

    @model_validator(mode="after")
    def _fits(self) -> "FolderOptions":
        if len(self.points) not in (0, 4, 10):
            raise ValueError(f"points must name 4 columns (two pupils) or 10 (five points), not {len(self.points)}")
        if self.table and "path" not in self.columns:
            raise ValueError("columns must say which column is the path")
        for column, words in self.words.items():
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
        paths = tree.with_suffix(self.options.images, IMAGES)
        partitions, words = [], []
        for path in paths:
            folders = PurePosixPath(path).relative_to(self.options.images or ".").parts[:-1]
            word = _class_folder(folders)
            if word is None:
                raise DataError(
                    f"{tree.root / path} lies in no class folder; expected are <class>/*.jpg or "
                    "<train|val|test>/<class>/*.jpg, or a CSV file named by options.table"
                )
            partitions.append(_PARTITIONS.get(folders[0].lower()))
            words.append(sys.intern(word))  # one object for all images of a folder
        expression = self._expressions(pd.Series(words, dtype=object), f"the folders of {tree.root}")
        return pd.DataFrame({"path": paths, "partition": partitions, "expression": expression}, dtype=object)

    def _of_table(self, tree: Tree) -> pd.DataFrame:
        options = self.options
        table = tree.table(options.table, "options.table", [*options.columns.values(), *options.points])
        table = table.map(str.strip, na_action="ignore").replace({"": None})
        where = str(tree.root / options.table)
        rows = pd.DataFrame({name: table[column] for name, column in options.columns.items()}, dtype=object)
        if rows["path"].isna().any():
            raise DataError(f"{where} has {int(rows['path'].isna().sum())} lines without a path; remove them")
        rows["path"] = [tree.check_name(str(PurePosixPath(options.images) / path), where) for path in rows["path"]]
        if len(rows) and not rows["path"].isin(tree.files).any():
            raise DataError(
                f"none of the images that {where} names is there, such as {rows['path'].iloc[0]}; set options.images "
                "to the folder that its paths start from"
            )
        if "expression" in rows:
            rows["expression"] = self._expressions(rows["expression"], where)
        if "partition" in rows:
            rows["partition"] = _renamed(rows["partition"], _PARTITIONS, where, "partition", "correct the table")
        for name, known in _NAMES.items():
            if name in rows:
                words = {**dict(zip(known, known, strict=True)), **options.words.get(name, {})}
                given = _age_groups(rows[name]) if name == "age" else rows[name]
                rows[name] = _renamed(given, words, where, name, f"add the word to options.words.{name}")
        for column in rows.columns.intersection(list(_NUMBERS)):
            rows[column] = _numbers(rows[[column]], where)[:, 0]
        if options.points:
            points = _numbers(table[list(options.points)], where)
            known = ~np.isnan(points).any(axis=1)
            rows["landmarks"] = pd.Series([p if k else None for p, k in zip(points, known, strict=True)], dtype=object)
        return rows

    def _expressions(self, words: pd.Series, where: str) -> pd.Series:
        known = {**EXPRESSION_WORDS, **self.options.labels}
        remedy = "say what your words mean, as options.labels: {grin: happiness}"
        return _renamed(words, known, where, "expression", remedy)


def _as_words(labels: Any) -> Any:
    """Return a map whose keys are words, as YAML reads folders that are called 1 and 2 as numbers."""
    return {str(word): name for word, name in labels.items()} if isinstance(labels, Mapping) else labels


def _class_folder(folders: tuple[str, ...]) -> str | None:
    """Return the folder that names the class: the first one, or the second one under a partition's."""
    rest = folders[1:] if folders and folders[0].lower() in _PARTITIONS else folders
    return rest[0] if rest else None


def _renamed(values: pd.Series, words: Mapping[str, str | None], where: str, what: str, remedy: str) -> pd.Series:
    """Return canonical names; words are compared without regard to upper and lower case and to outer blanks."""
    lower = {word.strip().lower(): name for word, name in words.items()}
    plain = {value: str(value).strip().lower() for value in values.dropna().unique()}
    unknown = values[values.isin([value for value, word in plain.items() if word not in lower])]
    if len(unknown):
        names = dict.fromkeys(name for name in words.values() if name is not None)
        raise DataError(
            f"{where} holds the {what} {unknown.iloc[0]!r} (entry {int(unknown.index[0]) + 1}; {len(unknown)} entries "
            f"have unknown words: {', '.join(map(str, unknown.unique()[:8]))}); the names are {', '.join(names)}: "
            f"{remedy}"
        )
    named = values.map({value: lower[word] for value, word in plain.items()}).astype(object)
    return named.where(named.notna(), None)


def _age_groups(ages: pd.Series) -> pd.Series:
    """Return the groups of ages in years; words are left as they are."""
    years = pd.to_numeric(ages, errors="coerce")
    starts = [float(group.removesuffix("+").split("-")[0]) for group in AGES]
    groups = pd.cut(years, [*starts, np.inf], right=False, labels=list(AGES)).astype(object)
    return groups.where(groups.notna(), ages)


def _numbers(table: pd.DataFrame, where: str) -> np.ndarray:
    """Return columns as numbers; an empty cell and words such as NA are no number.

    Raises:
        DataError: if a cell holds another word; the message names column and entry.
    """
    table = table.map(lambda value: None if str(value).lower() in _NO_NUMBER else value)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    wrong = (table.notna() & numbers.isna()).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where} holds {table.iloc[row, column]!r} in {table.columns[column]} (entry {row + 1}), "
            "where a number is expected"
        )
    return numbers.to_numpy(float)


READER = Folder
