"""The studies of a project: what each has left in the reports' folder, however many there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from kedro.io import AbstractDataset, DatasetError

from openfer.io.provenance import content_of
from openfer.schemas import INDEPENDENCE, PROBES

_PLACE = ("08_reporting", "studies")
_TABLE, _WORDS, _CELLS, _PROBES, _INDEPENDENCE = "table.csv", "table.md", "cells.csv", "probes.csv", "independence.csv"
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
        names = (_TABLE, _WORDS, _CELLS, _PROBES, _INDEPENDENCE, *(f"{kind}.png" for kind in PICTURES))
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


class StudiesDataset(AbstractDataset[None, list[StudyFolder]]):
    """All studies that a project has a table of.

    Args:
        path: folder of the layers.
        metadata: Kedro's.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._root = Path(path)
        self.metadata = metadata

    def load(self) -> list[StudyFolder]:
        """Find the studies; their files are read later."""
        return find_studies(self._root)

    def save(self, data: None) -> None:
        """Refuse: each study writes its own files."""
        raise DatasetError("the studies of a project are an input; each study writes its own files")

    def content(self) -> str:
        """Return a hash of which studies there are and of all that is read of them.

        Raises:
            DataError: if a file was changed after openfer had made it.
        """
        return content_of(self._root, (path for study in find_studies(self._root) for path in study.files()))

    def _exists(self) -> bool:
        return self._root.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._root)}
