"""MMI: videos of posed expressions, which go from neutral to the peak and back."""

from pathlib import PurePosixPath
from typing import Literal
from xml.etree import ElementTree

import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.frames import RULES
from openfer.datasets.labelling import integers, named
from openfer.datasets.layouts import matching_files
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.io.video import count_frames
from openfer.labels import MMI
from openfer.parameters import Settings

_VIDEOS = r"(?P<folder>(?:.*/)?Sessions/(?P<session>\d+))/(?P<stem>[^/]+)\.(?i:avi|mpg|mpeg|mp4)"
_VIEWS = {"0": "frontal", "1": "profile", "2": "dual"}
View = Literal["frontal", "profile", "dual"]


class MmiOptions(Settings):
    """Which videos are read, and which of their frames.

    Attributes:
        frames: those that carry a video's expression; ``peak_three`` are the middle ones.
        views: the cameras; ``dual`` shows the face from the front and, in a mirror, from the side.
        unlabelled: also read videos without one of the six basic expressions (single action units, other states).
    """

    frames: Literal["peak_three", "last_three", "all"] = "peak_three"
    views: tuple[View, ...] = ("frontal", "dual")
    unlabelled: bool = False


class Mmi(Reader):
    """Reads ``Sessions/<n>/``: a video, ``session.xml`` (its view) and ``<video>.xml`` (its emotion)."""

    about = About(
        title="MMI",
        licence="MMI: non-commercial research only, signed agreement",
        citation="Pantic, Valstar, Rademaker, Maat: Web-based Database for Facial Expression Analysis. ICME 2005",
        access="account at mmifacedb.eu",
    )
    options_class = MmiOptions
    options: MmiOptions

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per chosen frame: the video's path and the frame's number from 0."""
        videos = matching_files(tree, _VIDEOS, ["Sessions/1/S001-001.avi with Sessions/1/session.xml"], "video of MMI")
        records = []
        for video in videos.to_dict("records"):
            session = _xml(tree, f"{video['folder']}/session.xml", "the session's tracks and subject")
            if _view(tree, session, video["path"]) not in self.options.views:
                continue
            expression = _expression(tree, session, video["folder"], video["stem"])
            if expression is None and not self.options.unlabelled:
                continue
            row = {
                "path": video["path"],
                "sequence": video["session"],
                "subject": _subject(tree, session, video["path"]),
                "expression": expression,
            }
            frames = range(count_frames(tree.path(video["path"], "video of MMI")))
            records += [row | {"frame": frame} for frame in RULES[self.options.frames](frames)]
        return pd.DataFrame(records)

    def expected(self) -> Expected:
        """Return nothing: the publisher gives no count of what carries an expression, and the database has grown.

        Papers use 205 front-view sequences of 30 people (Ruan et al. 2022, ADDL). A full copy holds others too, such
        as those of induced expressions.
        """
        return Expected()


def _xml(tree: Tree, relative: str, what: str) -> ElementTree.Element:
    path = tree.path(relative, what)
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise DataError(f"{path} ({what}) is not XML: {error}; restore it from the publisher's copy") from error


def _view(tree: Tree, session: ElementTree.Element, video: str) -> str:
    """Return the view of a video; a session may list several tracks, the one with the video's name counts."""
    tracks = [track for track in session.iter("track") if track.get("view") is not None]
    own = [track for track in tracks if track.get("filename") == PurePosixPath(video).name]
    if not tracks:
        raise DataError(f"session.xml of {tree.root / video} has no track with a view; restore it")
    code = (own or tracks)[0].get("view", "")
    if code not in _VIEWS:
        raise DataError(f"session.xml of {tree.root / video} holds the view {code!r}; the views are {_VIEWS}")
    return _VIEWS[code]


def _expression(tree: Tree, session: ElementTree.Element, folder: str, stem: str) -> str | None:
    """Return the expression that the video's or the session's metatag ``Emotion`` gives."""
    own = f"{folder}/{stem}.xml"
    places = {own: _xml(tree, own, "the video's metatags")} if own in tree else {}
    for place, root in (places | {f"{folder}/session.xml": session}).items():
        for tag in root.iter("Metatag"):
            if tag.get("Name") == "Emotion":
                code = integers(pd.Series([tag.get("Value")], dtype=object), place)
                expression = named(code, MMI, place).iloc[0]
                return None if pd.isna(expression) else str(expression)
    return None


def _subject(tree: Tree, session: ElementTree.Element, video: str) -> str:
    """Return the person: the first part of names such as ``S002-106.avi``, else the session's subject."""
    head = PurePosixPath(video).name.split("-")[0]
    if head[:1] == "S" and head[1:].isdigit():
        return head
    listed = next((subject.get("id") for subject in session.iter("subject")), None)
    if listed is None:
        raise DataError(f"{tree.root / video} names no subject (as in S002-106.avi), nor does its session.xml")
    return listed


READER = Mmi
