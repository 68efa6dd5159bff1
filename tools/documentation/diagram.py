"""Diagrams of boxes and arrows as SVG, from a few lines of YAML."""

from dataclasses import dataclass
from html import escape
from typing import Any

import yaml

_WIDE, _HIGH = 140, 54
"""A box in pixels."""

_STEP_X, _STEP_Y = 182, 84
"""From a column or row to the next."""

_MARGIN = 8
_LINE = 16
_TRAINING = "..>"
_ALWAYS = ">"


@dataclass(frozen=True)
class Box:
    """A box of a diagram.

    Attributes:
        x: left edge in pixels.
        y: upper edge in pixels.
        lines: of its text.
    """

    x: float
    y: float
    lines: tuple[str, ...]


def svg(source: str, title: str) -> str:
    """Return a diagram as an SVG element.

    Args:
        source: YAML with ``boxes``, each ``name: [column, row, text]`` where ``/`` breaks a line, and ``arrows``, each
            ``from > to`` or ``from > to: label``. An arrow ``..>`` is dashed: it exists in training alone.
        title: what the diagram shows, for those who cannot see it.

    Raises:
        KeyError: if an arrow names a box that does not exist.
    """
    content: dict[str, Any] = yaml.safe_load(source)
    boxes = {name: _box(*place) for name, place in content["boxes"].items()}
    width = max(box.x for box in boxes.values()) + _WIDE + _MARGIN
    height = max(box.y for box in boxes.values()) + _HIGH + _MARGIN
    arrows = [_arrow(line, boxes) for line in content["arrows"]]
    return (
        f'<div class="diagram"><svg viewBox="0 0 {width:g} {height:g}" style="width:{width:g}px" role="img" '
        f'aria-label="{escape(title)}"><defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{''.join(arrows)}{''.join(map(_drawn, boxes.values()))}</svg></div>"
    )


def _box(column: float, row: float, text: str) -> Box:
    lines = tuple(part.strip() for part in text.split("/"))
    return Box(_MARGIN + column * _STEP_X, _MARGIN + row * _STEP_Y, lines)


def _drawn(box: Box) -> str:
    first = box.y + _HIGH / 2 - (len(box.lines) - 1) * _LINE / 2
    lines = "".join(
        f'<text x="{box.x + _WIDE / 2:g}" y="{first + number * _LINE:g}">{escape(line)}</text>'
        for number, line in enumerate(box.lines)
    )
    return f'<rect x="{box.x:g}" y="{box.y:g}" width="{_WIDE}" height="{_HIGH}" rx="6"/>{lines}'


def _arrow(line: str, boxes: dict[str, Box]) -> str:
    ends, _, label = line.partition(": ")
    kind = _TRAINING if _TRAINING in ends else _ALWAYS
    start, end = (boxes[name.strip()] for name in ends.split(kind))
    if start.x == end.x:  # one above the other
        down = 1 if end.y > start.y else -1
        x, y1, y2 = start.x + _WIDE / 2, start.y + _HIGH * (down > 0), end.y + _HIGH * (down < 0)
        path, middle = f"M{x:g} {y1:g}V{y2:g}", (x, (y1 + y2) / 2)
    else:
        right = 1 if end.x > start.x else -1
        x1, x2 = start.x + _WIDE * (right > 0), end.x + _WIDE * (right < 0)
        y1, y2, half = start.y + _HIGH / 2, end.y + _HIGH / 2, (x1 + x2) / 2
        path, middle = f"M{x1:g} {y1:g}C{half:g} {y1:g} {half:g} {y2:g} {x2:g} {y2:g}", (half, (y1 + y2) / 2)
    dashed = ' class="training"' if kind == _TRAINING else ""
    text = f'<text class="label" x="{middle[0]:g}" y="{middle[1] - 6:g}">{escape(label)}</text>' if label else ""
    return f'<path d="{path}"{dashed} marker-end="url(#tip)"/>{text}'
