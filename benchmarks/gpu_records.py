"""Records of a benchmark in which every unknown figure says why it is unknown."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openfer.io.atomic import write_bytes

Record = dict[str, Any]
"""Facts and figures by name. A figure that is not known is None, and ``unknown`` holds the reason by its name."""

NO_GPU = "there is no CUDA device"
NO_TIME = "no time was left"


def record(facts: Mapping[str, Any], figures: Mapping[str, float | str]) -> Record:
    """Return a record of facts and figures.

    Args:
        facts: what was measured, such as the method and the batch size.
        figures: numbers, or the reason why there is none.
    """
    known = {name: value if isinstance(value, (int, float)) else None for name, value in figures.items()}
    why = {name: value for name, value in figures.items() if isinstance(value, str)}
    return {**facts, **known, "unknown": why}


class Clock:
    """The time that is left.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._begun, self._seconds = time.monotonic(), seconds

    @property
    def passed(self) -> float:
        """Return seconds since the beginning."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float:
        """Return seconds until the end, at least 0."""
        return max(0.0, self._seconds - self.passed)

    def part(self, share: float) -> "Clock":
        """Return a clock for a share of the time that is left."""
        return Clock(self.left * share)


def write(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result as JSON; a reader sees the file before or after, never half of it."""
    write_bytes(path, json.dumps(result, indent=1).encode() + b"\n")
