"""Faces followed over the frames of a video, and their numbers smoothed over time."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from openfer.faces.mediapipe.boxes import overlaps
from openfer.inference.rows import Row

_LEAST_OVERLAP = 0.3
"""Intersection over union of two boxes in a row that can be of one face."""

_PATIENCE = 1.0
"""Seconds for which a face may be unseen and keep its number."""

_DECIMALS = 6


_AFFECT = ("valence", "arousal")


class Tracker:
    """Numbers faces so that one person keeps a number while boxes of successive frames overlap."""

    def __init__(self) -> None:
        self._boxes: dict[int, np.ndarray] = {}
        self._seen: dict[int, float] = {}
        self._next = 0

    def __call__(self, boxes: Sequence[np.ndarray], seconds: float) -> list[int]:
        """Return the number of every face of a frame.

        The pair of an old and a new box that overlap most is one face, then the next pair of those that are left.

        Args:
            boxes: left, top, right, bottom, each (4,).
            seconds: time of the frame, not before that of the frame before.
        """
        self._boxes = {n: box for n, box in self._boxes.items() if seconds - self._seen[n] <= _PATIENCE}
        numbers: list[int | None] = [None] * len(boxes)
        known = list(self._boxes)
        if known and boxes:
            shared = np.stack([overlaps(np.stack(boxes), self._boxes[number]) for number in known])
            while shared.max() > _LEAST_OVERLAP:
                old, new = np.unravel_index(shared.argmax(), shared.shape)
                numbers[int(new)] = known[int(old)]
                shared[old, :] = shared[:, new] = 0
        for place, box in enumerate(boxes):
            number = numbers[place]
            if number is None:
                number, self._next = self._next, self._next + 1
                numbers[place] = number
            self._boxes[number], self._seen[number] = box, seconds
        return [number for number in numbers if number is not None]


class Smoother:
    """Averages the probabilities, valence and arousal of each track over time.

    The average is exponential: a frame counts 1/e of the newest one when it is ``seconds`` older. It looks back only.

    Args:
        seconds: the time constant, > 0.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._means: dict[int, tuple[float, dict[str, float]]] = {}

    def __call__(self, row: Row) -> Row:
        """Return a row with smoothed numbers, and the expression that they make the most probable."""
        current = {name: value for name, value in row.items() if name.startswith("p_") or name in _AFFECT}
        before = self._means.get(row["track"])
        if before is not None:
            elapsed = max(0.0, row["time"] - before[0])  # clocks of cut videos jump back
            share = 1 - math.exp(-elapsed / self._seconds)
            current = {name: before[1][name] + share * (value - before[1][name]) for name, value in current.items()}
        self._means[row["track"]] = (row["time"], current)
        best = max((name for name in current if name.startswith("p_")), key=lambda name: current[name])
        rounded = {name: round(value, _DECIMALS) for name, value in current.items()}
        return row | rounded | {"expression": best.removeprefix("p_")}


def tracked(rows: Iterable[Row], smooth: float | None) -> Iterator[Row]:
    """Yield rows with ``track``, smoothed on request; rows of images stay as they are.

    Args:
        rows: in the order of files and frames.
        smooth: time constant in seconds, > 0, or None.
    """
    for _, of_file in groupby(rows, key=lambda row: row["file"]):
        tracker = Tracker()
        smoother = None if smooth is None else Smoother(smooth)
        for frame, of_frame in groupby(of_file, key=lambda row: row.get("frame")):
            found = list(of_frame)
            if frame is not None and "face" in found[0]:
                boxes = [np.array([row[side] for side in ("left", "top", "right", "bottom")]) for row in found]
                numbers = tracker(boxes, found[0]["time"])
                found = [row | {"track": number} for row, number in zip(found, numbers, strict=True)]
                found = found if smoother is None else [smoother(row) for row in found]
            yield from found
