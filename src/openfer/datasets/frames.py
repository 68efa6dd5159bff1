"""Which frames of a sequence become rows: the rules that papers use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

Rule = Literal["last_three", "peak_three", "all"]
THREE = 3
_Frame = TypeVar("_Frame")


def last_three(frames: Sequence[_Frame]) -> Sequence[_Frame]:
    """Return the last three frames: the peak of a sequence that runs from neutral to its apex."""
    return frames[-THREE:]


def peak_three(frames: Sequence[_Frame]) -> Sequence[_Frame]:
    """Return the middle three frames: the peak of a sequence that returns to neutral."""
    middle = len(frames) // 2
    return frames[max(0, middle - 1) : middle + 2]


def all_frames(frames: Sequence[_Frame]) -> Sequence[_Frame]:
    """Return every frame."""
    return frames


RULES: Mapping[Rule, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "last_three": last_three,
    "peak_three": peak_three,
    "all": all_frames,
}


def chosen_frames(table: pd.DataFrame, rule: Rule, neutral: int = 0) -> pd.DataFrame:
    """Return the rows of a table of frames that a rule chooses.

    Args:
        table: one row per frame, with its ``sequence`` and its number ``frame``.
        rule: which frames show the expression of the sequence.
        neutral: how many first frames are added as neutral ones; a frame that the rule chooses is never neutral,
            except under ``all``, where the first frames are neutral and the others show the expression.

    Returns:
        The chosen rows by sequence and frame, with ``is_neutral`` added.
    """
    ordered = table.sort_values(["sequence", "frame"], kind="stable", ignore_index=True)
    keep = np.zeros(len(ordered), bool)
    is_neutral = np.zeros(len(ordered), bool)
    start = 0
    for length in ordered.groupby("sequence", sort=False).size():
        places = range(start, start := start + length)
        first = places[:neutral]
        is_neutral[first] = True
        shown = places[neutral:] if rule == "all" else RULES[rule](places)
        is_neutral[shown] = False
        keep[first] = keep[shown] = True
    return ordered.assign(is_neutral=is_neutral)[keep].reset_index(drop=True)
