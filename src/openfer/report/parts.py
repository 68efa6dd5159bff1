"""The blocks of a section: paragraphs, sortable tables, charts, pictures and folds, all escaped by their templates."""

import functools
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from openfer.evaluation.entries import Entry
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.metrics import METRICS, RESAMPLED, named
from openfer.io.web_page import jpeg, png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Callable[[Any], str]
"""Formats a value of a column."""

Columns = Mapping[str, tuple[str, Format]]
"""Column of a table -> its heading and format."""

_SMALLEST = 1e-4
"""Smaller probabilities are printed as smaller than this."""

_SHORT = 12
"""Letters of a heading that stays on one line."""

_SHEET_WIDTH, _SHEET_QUALITY = 1100, 80
_CHART_WIDTH, _CHART_COLOURS, _CHART_BYTES = 1600, 128, 300_000
_PIXELS_PER_INCH = 80


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: its address in the page.
        title: its heading.
        body: its HTML.
    """

    anchor: str
    title: str
    body: Markup


@functools.cache
def templates() -> Environment:
    """Return the templates of the page; they escape all values but markup."""
    loader = PackageLoader("openfer.report")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)


def _block(name: str, *values: Any) -> Markup:
    macro: Callable[..., Markup] = getattr(templates().get_template("blocks.html").module, name)
    return macro(*values)


def joined(parts: Iterable[Markup]) -> Markup:
    """Return blocks one after the other."""
    return Markup("\n").join(parts)


def paragraph(text: str) -> Markup:
    """Return a paragraph of plain text."""
    return _block("paragraph", text)


def heading(text: str, level: int = 3) -> Markup:
    """Return a heading below that of the section."""
    return _block("heading", text, level)


def items(texts: Iterable[str]) -> Markup:
    """Return a list of plain texts."""
    return _block("items", list(texts))


def unfold(summary: str, *body: Markup) -> Markup:
    """Return blocks that a click on their summary shows."""
    return _block("fold", summary, joined(body))


def side_by_side(figures: Iterable[Markup]) -> Markup:
    """Return figures side by side; as many in a row as the window has room for."""
    return _block("side_by_side", joined(figures))


def face_list(shown: Iterable[Mapping[Any, Any]]) -> Markup:
    """Return pictures of faces, each with its label and its predictions."""
    return _block("faces", list(shown))


def sortable(
    table: pd.DataFrame,
    columns: Columns,
    label: str,
    *,
    sorted_by: tuple[str, str] | None = None,
    last: "pd.Series | None" = None,
) -> Markup:
    """Return a table that is sorted by a click, or the Enter key, on a column's name.

    Args:
        table: values, not words.
        columns: those that are shown, in order; numbers stand to the right.
        label: what it shows.
        sorted_by: a column, and ``ascending`` or ``descending``, where the table is sorted already.
        last: True for rows that stay last in any order, as they have too few faces to be ranked.
    """
    stays = last if last is not None else pd.Series(False, index=table.index)
    order = stays.sort_values(kind="stable").index
    numeric = [_is_number(table[name]) for name in columns]
    heads = [
        {
            "heading": text,
            "order": sorted_by[1] if sorted_by is not None and sorted_by[0] == name else "",
            "classes": " ".join(["number"] * is_number + ["short"] * (len(text) <= _SHORT)),
        }
        for (name, (text, _)), is_number in zip(columns.items(), numeric, strict=True)
    ]
    cells = [
        [
            {"text": shown(value), "value": ("" if pd.isna(value) else float(value)) if is_number else None}
            for value in table.loc[order, name]
        ]
        for (name, (_, shown)), is_number in zip(columns.items(), numeric, strict=True)
    ]
    rows = [{"few": low, "cells": row} for low, *row in zip(stays.loc[order], *cells, strict=True)]
    return _block("table", label, heads, rows)


def words(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the table with all cells as text under its headings, for Markdown and LaTeX."""
    return pd.DataFrame(
        {heading: [shown(value) for value in table[name]] for name, (heading, shown) in columns.items()}
    )


def drawing(figure: "Figure", label: str, caption: str = "") -> Markup:
    """Return a matplotlib figure as SVG; on a window narrower than half its size it scrolls.

    Args:
        figure: from :mod:`openfer.evaluation.figures`.
        label: what it shows, for readers who cannot see it.
        caption: below it.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "openfer"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    width, text = figure.get_figwidth() * _PIXELS_PER_INCH, buffer.getvalue()
    text = re.sub(r'<g id="[^"]*"', "<g", text[text.index("<svg") :])  # several figures would share these names
    text = re.sub(r' (?:width|height)="[^"]*pt"', "", text, count=2)
    text = text.replace("<svg ", f'<svg style="max-width: {width:.0f}px" ', 1)
    return _block("chart", Markup(text), label, caption, round(width / 2))


def places(entries: Iterable[Entry]) -> dict[str, int]:
    """Return the number of each method among those tested on the same faces, which decides its colour."""
    found: dict[str, int] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        if len(entry.main(TASK)):
            found[entry.name] = seen.get(entry.tested, 0)
            seen[entry.tested] = found[entry.name] + 1
    return found


def sheet(path: Path, caption: str) -> Markup:
    """Return a picture with faces as a figure that scrolls on a narrow screen."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((_SHEET_WIDTH, 10 * _SHEET_WIDTH))
    return _block("picture", jpeg(picture, _SHEET_QUALITY), picture.width, caption)


def chart(path: Path, caption: str) -> Markup:
    """Return a picture with lines and words, as it is or, where that is heavy, in fewer pixels and colours."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    address = png(picture)
    if len(address) > _CHART_BYTES:
        picture.thumbnail((_CHART_WIDTH, 10 * _CHART_WIDTH))
        address = png(picture.quantize(_CHART_COLOURS))
    return _block("picture", address, picture.width, caption)


def formatted(template: str, scale: float = 1) -> Format:
    """Return a format that multiplies a number and prints it; a missing one is empty."""
    minus = "\u2212" if "+" in template else "-"
    return lambda value: "" if pd.isna(value) else template.format(scale * value).replace("-", minus)


percent = formatted("{:z.1f}", 100)
points = formatted("{:+z.1f}", 100)
three = formatted("{:z.3f}")
one = formatted("{:.1f}")
whole = formatted("{:,.0f}")
digits = formatted("{:.3g}")


def probability(value: Any) -> str:
    """Return a probability with two significant digits; nothing for a missing one."""
    if pd.isna(value):
        return ""
    return f"{value:.2g}" if value >= _SMALLEST else f"< {_SMALLEST:g}"


def word(value: Any) -> str:
    """Return a value as it is; nothing for a missing one."""
    missing = value is None or (isinstance(value, float) and pd.isna(value))
    return "" if missing else str(value)


def of_metrics(names: Iterable[str]) -> dict[str, tuple[str, Format]]:
    """Return the columns of metrics, in per cent or with three decimals."""
    metrics = (METRICS[name] for name in names)
    return {metric.name: (metric.heading, percent if metric.in_per_cent else three) for metric in metrics}


def everywhere() -> list[str]:
    """Return the resampled metrics that every dataset defines."""
    return [name for name in named(*RESAMPLED) if METRICS[name].only_on is None]


def with_bounds(names: Iterable[str]) -> dict[str, tuple[str, Format]]:
    """Return the columns of metrics, the accuracy first and the bounds of its interval behind it."""
    scores = of_metrics(names)
    return {"accuracy": scores.pop("accuracy"), "low": ("from", percent), "high": ("to", percent), **scores}


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column)) and not pd.api.types.is_bool_dtype(column)
