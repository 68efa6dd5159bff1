"""What a person sees in the terminal after a prediction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from openfer.inference.card import ModelCard
from openfer.inference.rows import NO_FACE, Row, probabilities

_FEW = 20
"""Rows that are shown one by one."""


@dataclass
class Summary:
    """Counts of rows as they pass by.

    Attributes:
        first: some rows, in their order.
        total: number of rows.
        faces: number of faces by expression.
        sure: sum of the probabilities of these expressions.
        reasons: number of images, frames or videos without a face, by reason.
        tracks: (file, track) of every person in videos.
    """

    first: list[Row] = field(default_factory=list)
    total: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    sure: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    reasons: Counter[str] = field(default_factory=Counter)
    tracks: set[tuple[str, int]] = field(default_factory=set)

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield rows as they are, and count them."""
        for row in rows:
            self._count(row)
            yield row

    def _count(self, row: Row) -> None:
        self.total += 1
        if len(self.first) < _FEW:
            self.first.append(row)
        if "face" not in row:
            self.reasons[row["reason"]] += 1
            return
        self.faces[row["expression"]] += 1
        self.sure[row["expression"]] += probabilities(row)[row["expression"]]
        if row.get("track") is not None:
            self.tracks.add((row["file"], row["track"]))

    def show(self, console: Console, card: ModelCard) -> None:
        """Print the rows themselves if they are few, else how many faces show each expression; then the first limit."""
        console.print(self._each() if self.total <= _FEW else self._counts(card))
        damaged = sum(count for reason, count in self.reasons.items() if reason != NO_FACE)
        tracks = f"; tracks in videos: {len(self.tracks)}" if self.tracks else ""
        counts = f"faces: {self.faces.total()}{tracks}; without a face: {self.reasons[NO_FACE]}; unreadable: {damaged}"
        console.print(counts, highlight=False)
        console.print(f"Model {card.slug}: {card.limits[0]} More: docs/limits.md.", style="dim", highlight=False)

    def _each(self) -> Table:
        table = Table("file", "frame", "face", "expression", "probability", "next")
        for row in self.first:
            place = (row["file"], _shown(row.get("frame")))
            if "face" not in row:
                table.add_row(*place, "", row["reason"], "", "")
                continue
            ranked = sorted(probabilities(row).items(), key=lambda pair: -pair[1])
            second = f"{ranked[1][0]} {ranked[1][1]:.0%}" if len(ranked) > 1 else ""
            table.add_row(*place, _shown(row["face"]), row["expression"], f"{ranked[0][1]:.0%}", second)
        return table

    def _counts(self, card: ModelCard) -> Table:
        table = Table("expression", "faces", "share", "mean probability")
        for name in card.classes:
            count = self.faces[name]
            share = f"{count / max(1, self.faces.total()):.0%}"
            table.add_row(name, str(count), share, f"{self.sure[name] / count:.0%}" if count else "")
        return table


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)
