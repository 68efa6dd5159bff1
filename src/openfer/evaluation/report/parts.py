"""What sections are made of: sortable tables, figures that the page draws, pictures, things to unfold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import IO, Any

import pandas as pd
from PIL import Image

from openfer.evaluation.entries import Entry
from openfer.evaluation.figures.style import COLOURS, PATTERNS
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.metrics import METRICS, RESAMPLED, named
from openfer.io.web_page import jpeg, png, scrolling

Format = Callable[[Any], str]
"""How a value of a column is shown."""

_STROKES = {
    "": "",
    "/": "M0 12 12 0",
    ".": "M3 3h.1M9 3h.1M3 9h.1M9 9h.1",
    "x": "M0 12 12 0M0 0 12 12",
    "\\": "M0 0 12 12",
    "-": "M0 3H12M0 9H12",
    "+": "M0 6H12M6 0V12",
    "|": "M3 0V12M9 0V12",
}
"""Plotly's fillings of bars as paths in a square of twelve."""

_SMALLEST = 1e-4
"""Below this a probability says no more than that it is small."""

_SHORT = 12
"""Letters of a heading that stays on one line."""

_SHEET_WIDTH, _SHEET_QUALITY = 1100, 80
_CHART_WIDTH, _CHART_COLOURS, _CHART_BYTES = 1600, 128, 300_000


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
    body: str


@dataclass
class Figures:
    """The figures of a page by number; the page draws each when it comes into view."""

    plots: list[str] = field(default_factory=list)

    def add(
        self, plot: Any, label: str, height: int, *, shows_faces: bool = False, least_width: int = 0, top: int = 20
    ) -> str:
        """Return the place of a plotly figure.

        Args:
            plot: the figure; its own title and size give way to the page's.
            label: what it shows, for those who cannot see it.
            height: in pixels.
            shows_faces: its points carry sample ids, whose faces are shown at the pointer.
            least_width: in pixels; on a narrower screen the figure scrolls.
            top: pixels above the axes.
        """
        plot.update_layout(title=None, width=None, height=None, autosize=True, margin_t=top)
        number = len(self.plots)
        self.plots.append(plot.to_json())
        faces = ' data-faces="yes"' if shows_faces else ""
        style = f"height: {height}px" + (f"; min-width: {least_width}px" if least_width else "")
        place = (
            f'<div class="plot" role="img" aria-label="{escape(label)}" data-plot="{number}"{faces} '
            f'style="{style}"></div>'
        )
        return scrolling(place, label) if least_width else place

    def scripts(self) -> str:
        """Return the figures' data."""
        return "".join(embedded(f"plot-{number}", plot) for number, plot in enumerate(self.plots))


def embedded(name: str, data: str) -> str:
    """Return JSON as an element of the page that its script finds by name; no text in it can end the element."""
    safe = data.replace("</", "<\\/")
    return f'<script type="application/json" id="{name}">{safe}</script>'


def sortable(
    table: pd.DataFrame,
    columns: Mapping[str, tuple[str, Format]],
    label: str,
    *,
    sorted_by: tuple[str, str] | None = None,
    last: "pd.Series | None" = None,
) -> str:
    """Return a table that is sorted by a click, or the Enter key, on a column's name.

    Args:
        table: values, not words.
        columns: column of the table -> its heading and how its values are shown; numbers stand to the right.
        label: what it shows.
        sorted_by: heading's column, and ``ascending`` or ``descending``, where it is sorted already.
        last: True for rows that stay last however the table is sorted, as they have too few faces to be ranked.
    """
    heads = [_head(name, heading, _is_number(table[name]), sorted_by) for name, (heading, _) in columns.items()]
    stays = last if last is not None else pd.Series(False, index=table.index)
    rows = []
    ordered = stays.sort_values(kind="stable")
    for (_, values), low in zip(table.loc[ordered.index].iterrows(), ordered, strict=True):
        cells = "".join(
            _cell(values[name], shown, _is_number(table[name]), name == next(iter(columns)))
            for name, (_, shown) in columns.items()
        )
        rows.append(f'<tr class="few">{cells}</tr>' if low else f"<tr>{cells}</tr>")
    content = (
        f'<table class="sortable"><caption class="hidden">{escape(label)}</caption>'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
    return scrolling(content, label)


def words(table: pd.DataFrame, columns: Mapping[str, tuple[str, Format]]) -> pd.DataFrame:
    """Return the same table as words under its headings, for Markdown and LaTeX."""
    return pd.DataFrame(
        {heading: [shown(value) for value in table[name]] for name, (heading, shown) in columns.items()}
    )


def unfold(summary: str, body: str) -> str:
    """Return what is shown when its summary is clicked."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def side_by_side(figures: Sequence[str], *, wide: bool = False) -> str:
    """Return figures beside each other, as many as the window has room for; fewer where they are ``wide``."""
    return f'<div class="side-by-side{" wide-ones" if wide else ""}">{"".join(figures)}</div>'


def places(entries: Sequence[Entry]) -> dict[str, int]:
    """Return the place of each method among those tested on the same faces, by which it has its colour on the page."""
    found: dict[str, int] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        if len(entry.main(TASK)):
            found[entry.name] = seen.get(entry.tested, 0)
            seen[entry.tested] = found[entry.name] + 1
    return found


def key(names: Mapping[str, int]) -> str:
    """Return what the bars of several charts stand for, by the colour and filling of each method's place."""
    items = []
    for name, place in names.items():
        swatch = f'<rect width="12" height="12" fill="{COLOURS[place]}"/><path d="{_STROKES[PATTERNS[place]]}"/>'
        items.append(f'<li><svg viewBox="0 0 12 12" aria-hidden="true">{swatch}</svg>{escape(name)}</li>')
    return f'<ul class="key">{"".join(items)}</ul>'


def paragraph(text: str) -> str:
    """Return plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def sheet(path: Path, caption: str) -> str:
    """Return a picture with faces as a figure that scrolls on a narrow screen."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((_SHEET_WIDTH, 10 * _SHEET_WIDTH))
    return _scrolling_picture(picture, jpeg(picture, _SHEET_QUALITY), caption)


def chart(file: Path | IO[bytes], caption: str) -> str:
    """Return a picture with lines and words, as it is or, where that is heavy, in fewer pixels and colours."""
    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    address = png(picture)
    if len(address) > _CHART_BYTES:
        picture.thumbnail((_CHART_WIDTH, 10 * _CHART_WIDTH))
        address = png(picture.quantize(_CHART_COLOURS))
    return _scrolling_picture(picture, address, caption)


def _scrolling_picture(picture: Image.Image, address: str, caption: str) -> str:
    width = f"max-width: {picture.width}px"
    image = f'<img class="sheet" alt="{escape(caption)}" style="{width}" src="{address}">'
    return f"<figure>{scrolling(image, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def percent(value: Any) -> str:
    """Return a share in per cent with one decimal; nothing for a missing one."""
    return "" if pd.isna(value) else f"{100 * value:z.1f}"


def points(value: Any) -> str:
    """Return a difference of shares in points, with its sign; nothing for a missing one."""
    return "" if pd.isna(value) else f"{100 * value:+z.1f}".replace("-", "\u2212")


def three(value: Any) -> str:
    """Return a number with three decimals; nothing for a missing one."""
    return "" if pd.isna(value) else f"{value:z.3f}"


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


def digits(value: Any) -> str:
    """Return a number with three digits that count; nothing for a missing one."""
    return "" if pd.isna(value) else f"{value:.3g}"


def probability(value: Any) -> str:
    """Return a probability with two digits that count; nothing for a missing one."""
    if pd.isna(value):
        return ""
    return f"{value:.2g}" if value >= _SMALLEST else f"< {_SMALLEST:g}"


def one(value: Any) -> str:
    """Return a number with one decimal; nothing for a missing one."""
    return "" if pd.isna(value) else f"{value:.1f}"


def whole(value: Any) -> str:
    """Return a whole number; nothing for a missing one."""
    return "" if pd.isna(value) else f"{value:,.0f}"


def word(value: Any) -> str:
    """Return a value as it is; nothing for a missing one."""
    missing = value is None or (isinstance(value, float) and pd.isna(value))
    return "" if missing else str(value)


def _head(name: str, heading: str, is_number: bool, sorted_by: tuple[str, str] | None) -> str:
    order = f' aria-sort="{sorted_by[1]}"' if sorted_by is not None and sorted_by[0] == name else ""
    kinds = ["number"] * is_number + ["short"] * (len(heading) <= _SHORT)
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    return f'<th scope="col"{kind}{order}><button type="button">{escape(heading)}</button></th>'


def _cell(value: Any, shown: Format, is_number: bool, is_first: bool) -> str:
    text = escape(shown(value))
    if is_first:
        return f'<th scope="row">{text}</th>'
    if not is_number:
        return f"<td>{text}</td>"
    return f'<td class="number" data-value="{"" if pd.isna(value) else float(value)}">{text}</td>'


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column)) and not pd.api.types.is_bool_dtype(column)
