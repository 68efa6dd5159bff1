"""The studies of a project: what each has left in the reports' folder, however many there are."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from openfer.io.left_behind import LeftBehindDataset
from openfer.schemas import INDEPENDENCE, PROBES

_PLACE = ("08_reporting", "studies")
_TABLE, _WORDS, _CELLS, _PROBES, _INDEPENDENCE = "table.csv", "table.md", "cells.csv", "probes.csv", "independence.csv"
_COMPARISON = "comparison.csv"
_WHERE = ["row", "column"]

PICTURES = ("table", "tsne")
"""What a report shows of the pictures that a study has left; it draws the probes itself."""


class StudyFolder:
    """What a study has left. Files are read when asked for.

    Args:
        folder: its folder, named as the study.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name

    @property
    def title(self) -> str:
        """What it asks, the heading of its table in words; its name where that is not there."""
        path = self.folder / _WORDS
        heading = path.read_text().partition("\n")[0] if path.is_file() else ""
        return heading.lstrip("# ").strip() or self.name

    @property
    def table(self) -> pd.DataFrame:
        """Its table, as :func:`openfer.evaluation.study_table.study_table` gives it."""
        return pd.read_csv(self.folder / _TABLE)

    @property
    def cells(self) -> pd.DataFrame | None:
        """Its cells with their state and the folders of their runs."""
        path = self.folder / _CELLS
        return pd.read_csv(path, keep_default_na=False) if path.is_file() else None

    @property
    def comparison(self) -> pd.DataFrame | None:
        """Its rows compared, as :func:`openfer.evaluation.study_table.compare_rows` gives them."""
        path = self.folder / _COMPARISON
        return pd.read_csv(path) if path.is_file() else None

    @property
    def probes(self) -> pd.DataFrame | None:
        """:data:`openfer.schemas.PROBES` behind the columns ``row`` and ``column``, where features were asked."""
        return self._measured(_PROBES, PROBES)

    @property
    def independence(self) -> pd.DataFrame | None:
        """:data:`openfer.schemas.INDEPENDENCE` behind the same columns; it has no row where no run has two features."""
        return self._measured(_INDEPENDENCE, INDEPENDENCE)

    def picture(self, kind: str) -> Path | None:
        """Return the file of one of :data:`PICTURES`, where the study has made it."""
        path = self.folder / f"{kind}.png"
        return path if path.is_file() else None

    def files(self) -> Iterator[Path]:
        """Yield the files that the properties read."""
        names = (_TABLE, _WORDS, _CELLS, _COMPARISON, _PROBES, _INDEPENDENCE, *(f"{kind}.png" for kind in PICTURES))
        yield from (self.folder / name for name in names)

    def _measured(self, file: str, schema: pa.DataFrameSchema) -> pd.DataFrame | None:
        path = self.folder / file
        if not path.is_file():
            return None
        table = pd.read_csv(path)
        for _, own in table.groupby(_WHERE, sort=False):
            schema.validate(own.drop(columns=_WHERE))
        return table


def find_studies(root: Path) -> list[StudyFolder]:
    """Return all studies of a project that have a table, by name.

    Args:
        root: folder of the layers.
    """
    return [StudyFolder(path.parent) for path in sorted(root.joinpath(*_PLACE).glob(f"*/{_TABLE}"))]


class StudiesDataset(LeftBehindDataset[StudyFolder]):
    """All studies that a project has a table of; there may be none."""

    _kind = "studies"

    def _found(self) -> list[StudyFolder]:
        return find_studies(self._root)
