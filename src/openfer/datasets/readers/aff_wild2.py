"""Aff-Wild2: every frame of some 500 videos from the web, with expression and with valence and arousal."""

from typing import Literal

import numpy as np
import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import integers, named
from openfer.datasets.layouts import PICTURE, matching_files
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import AFF_WILD2
from openfer.parameters import Settings

_IMAGES = rf"(?P<folder>(?:.*/)?cropped_aligned(?:[^/]*/)+(?P<video>[^/]+))/(?P<frame>\d+){PICTURE}"
_SIDES = {"Train_Set": "train", "Training_Set": "train", "Validation_Set": "val"}
_FOLDERS = {
    "expression": ("EXPR_Set", "EXPR_Classification_Challenge", "EXPR_Recognition_Challenge"),
    "valence_arousal": ("VA_Set", "VA_Estimation_Challenge"),
}
_NO_EXPRESSION = -1
_NAMES = {"abaw_2020": tuple(AFF_WILD2)[:7], "abaw_2022": tuple(AFF_WILD2)}
Task = Literal["expression", "valence_arousal"]


class AffWild2Options(Settings):
    """Which annotations are read.

    Attributes:
        labels: the task whose lists choose the frames and their partition. The lists of the two tasks place some
            videos in different partitions; the other task's labels are added where both agree.
        edition: ``abaw_2020`` (also 2021; seven expressions) or ``abaw_2022`` (and later; Other as the eighth).
    """

    labels: Task = "expression"
    edition: Literal["abaw_2020", "abaw_2022"] = "abaw_2020"


class AffWild2(Reader):
    """Reads ``cropped_aligned/<video>/00001.jpg`` and ``EXPR_Set/Train_Set/<video>.txt``, ``VA_Set/...``.

    Line n after an annotation's first line belongs to image n. Rows are the annotated frames that have an image
    (the publisher has none where no face was found); frames marked as invalid have no label and no row, frames
    marked as Other a row without expression. Where a video shows two people, ``_left`` and ``_right`` tell them
    apart; each such video is a subject, as who appears in several videos is not published.
    """

    about = About(
        title="Aff-Wild2",
        licence="Aff-Wild2: non-commercial research only, signed agreement",
        citation="Kollias, Zafeiriou: Expression, Affect, Action Unit Recognition: Aff-Wild2, Multi-Task Learning "
        "and ArcFace. BMVC 2019",
        access="request from Dimitrios Kollias, ibug.doc.ic.ac.uk/resources/aff-wild2",
    )
    options_class = AffWild2Options
    options: AffWild2Options

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return the annotated frames that have an image."""
        images = matching_files(tree, _IMAGES, ["cropped_aligned/video1/00001.jpg"], "image of Aff-Wild2")
        images["frame"] = images["frame"].astype(np.int32)
        lists: dict[Task, pd.DataFrame] = {"expression": _lists(tree, "expression")}
        lists["valence_arousal"] = _lists(tree, "valence_arousal")
        own = lists[self.options.labels]
        if own.empty:
            folders = " or ".join(f"{folder}/Train_Set" for folder in _FOLDERS[self.options.labels])
            raise DataError(
                f"{tree.root} holds no annotation of {self.options.labels}; the known layouts are {folders}"
            )
        parts = [
            self._video(tree, str(video), part, lists)
            for video, part in images.groupby("video", sort=False)
            if video in own.index
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def expected(self) -> Expected:
        """Return the counts of frames with an expression and an image, of the edition of 2020."""
        if self.options.labels == "expression" and self.options.edition == "abaw_2020":
            return Expected(
                images={"train": 904_825, "val": 322_080},
                source="Ruan et al. 2022 (ADDL), frames prepared by Zhang et al. 2020",
            )
        return Expected()

    def _video(self, tree: Tree, video: str, images: pd.DataFrame, lists: dict[Task, pd.DataFrame]) -> pd.DataFrame:
        """Return the rows of a video."""
        if images["folder"].nunique() > 1:
            raise DataError(f"{tree.root} has {video} in {' and '.join(images['folder'].unique())}; keep one of them")
        place = lists[self.options.labels].loc[video]
        labels = pd.DataFrame({"frame": images["frame"].to_numpy(), "path": images["path"].to_numpy()})
        valid = np.zeros(len(labels), bool)
        for task, listed in lists.items():
            if video not in listed.index or listed.loc[video, "partition"] != place["partition"]:
                continue
            read = self._expressions if task == "expression" else _valence_arousal
            values = read(tree, str(listed.loc[video, "path"])).reindex(labels["frame"] - 1).reset_index(drop=True)
            if task == self.options.labels:
                valid = values["valid"].eq(True).to_numpy()
            labels = labels.join(values.drop(columns="valid"))
        return labels[valid].assign(subject=video, sequence=video, partition=place["partition"])

    def _expressions(self, tree: Tree, relative: str) -> pd.DataFrame:
        """Return expression and validity of the frames of a video."""
        header, values = _annotation(tree, relative, 1)
        names = tuple(header.replace(" ", "").split(","))
        if names != _NAMES[self.options.edition]:
            other = next((edition for edition, known in _NAMES.items() if names == known), None)
            remedy = f"set edition: {other}" if other else "this is an edition that openfer does not know"
            raise DataError(f"{tree.root / relative} has the classes {header!r}; {remedy}")
        codes = integers(pd.Series(values[:, 0]), relative)
        codes = codes.mask(codes == _NO_EXPRESSION)
        by_code = {code: AFF_WILD2[name] for code, name in enumerate(names)}
        return pd.DataFrame({"expression": named(codes, by_code, relative), "valid": codes.notna()})


def _valence_arousal(tree: Tree, relative: str) -> pd.DataFrame:
    """Return valence, arousal and validity of the frames of a video; values outside [-1, 1] mark invalid frames."""
    values = _annotation(tree, relative, 2)[1]
    valid = (np.abs(values) <= 1).all(axis=1)
    values[~valid] = np.nan
    return pd.DataFrame({"valence": values[:, 0], "arousal": values[:, 1], "valid": valid})


def _annotation(tree: Tree, relative: str, columns: int) -> tuple[str, np.ndarray]:
    """Return the first line of an annotation and its numbers (frames, columns)."""
    header, *lines = tree.lines(relative, "Aff-Wild2's annotation") or [""]
    try:
        values = np.array([line.split(",") for line in lines], dtype=float).reshape(len(lines), columns)
    except ValueError as error:
        raise DataError(
            f"{tree.root / relative} is not a line of names and then {columns} number(s) a line: {error}; restore it"
        ) from error
    return header, values


def _lists(tree: Tree, task: Task) -> pd.DataFrame:
    """Return path and partition of a task's annotations by video; empty where the copy has none."""
    found: dict[str, tuple[str, str]] = {}
    for name in tree.with_suffix("", [".txt"]):
        *_, folder, side, file = ("", "", *name.split("/"))
        if folder in _FOLDERS[task] and side in _SIDES:
            video = file.removesuffix(".txt")
            if video in found:
                raise DataError(f"{tree.root} annotates {video} in {found[video][0]} and in {name}; keep one of them")
            found[video] = (name, _SIDES[side])
    return pd.DataFrame.from_dict(found, orient="index", columns=["path", "partition"])


READER = AffWild2
