"""A small copy of a dataset that is as expected, for tests that damage it."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from openfer.datasets.contract import Expected
from openfer.datasets.inventory import take_inventory
from openfer.datasets.readers.folder import Folder
from openfer.datasets.tree import Tree
from openfer.doctor.findings import examine
from openfer.doctor.probe import probe
from openfer.schemas import complete_rows
from tests.datasets.trees import write_image, write_text

EXPECTED = Expected(
    images={"train": 8, "test": 4},
    classes={"train": {"happiness": 6, "sadness": 2}, "test": {"happiness": 2, "sadness": 2}},
    subjects=5,
    image_size=(40, 48),
    landmarks=True,
    source="these tests",
)
OPTIONS = {
    "table": "labels.csv",
    "columns": {"path": "path", "expression": "label", "partition": "side", "subject": "person"},
    "points": ["x1", "y1", "x2", "y2"],
}


@dataclass
class Copy:
    """The lines of a label file, and the images that it names.

    Attributes:
        root: of the copy.
        lines: path, label, side, person and the two pupils.
    """

    root: Path
    lines: list[list[str]] = field(default_factory=list)

    @classmethod
    def perfect(cls, root: Path) -> "Copy":
        """Write all that is expected."""
        copy = cls(root)
        for side, label, count in (
            ("train", "happy", 6),
            ("train", "sad", 2),
            ("test", "happy", 2),
            ("test", "sad", 2),
        ):
            for number in range(count):
                path = f"{side}/{label}{number}.png"
                write_image(root / path)
                copy.lines.append([path, label, side, f"{side}{number % 3}", "12", "20", "28", "20"])
        return copy

    def image(self, number: int) -> Path:
        return self.root / self.lines[number][0]

    @property
    def rows(self) -> pd.DataFrame:
        write_text(self.root / "labels.csv", "path,label,side,person,x1,y1,x2,y2", *map(",".join, self.lines))
        return Folder(OPTIONS).read(Tree(self.root), "mine")

    def rows_as_listed(self) -> pd.DataFrame:
        """Return rows of a published reader, which keeps listed images that are not there; these are all neutral."""
        paths = sorted(line[0] for line in self.lines)
        given = {"sample_id": [f"{number:016x}" for number in range(len(paths))], "dataset": "ours", "path": paths}
        return complete_rows(pd.DataFrame({**given, "expression": "neutral", "licence": "none"}))

    @property
    def files(self) -> pd.DataFrame:
        return pd.concat(list(take_inventory(Tree(self.root))), ignore_index=True)

    def findings(self, expected: Expected = EXPECTED) -> pd.DataFrame:
        """Look at the copy as the pipeline does."""
        rows, files = self.rows, self.files
        return examine(rows, files, probe(rows, files, self.root, 1000, 0, 1), expected)


def bad(findings: pd.DataFrame, level: str = "problem") -> dict[str, str]:
    """Return check -> what was found, of one level."""
    chosen = findings[findings["level"] == level]
    return dict(zip(chosen["check"], chosen["found"], strict=True))
