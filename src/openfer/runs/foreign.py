"""Predictions of another program as a run: its identity is the file's content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from openfer.errors import ParameterError
from openfer.io.atomic import sha256_of
from openfer.parameters import at_home

METHOD = "foreign"
"""What the runs of other programs have in the place of a method."""


@dataclass(frozen=True)
class ForeignPlan:
    """Predictions of another program.

    Attributes:
        file: a Parquet or CSV file.
        name: name of the method in tables.
        dataset: dataset of the predicted test faces.
    """

    file: str
    name: str
    dataset: str

    @property
    def slug(self) -> str:
        """The identity of the run; it changes with the file's content, its name in tables and the dataset."""
        path = Path(self.file)
        content = sha256_of(path) if path.is_file() else self.file
        digest = hashlib.sha256("\0".join([content, self.name, self.dataset]).encode()).hexdigest()
        return f"{METHOD}-s0-f0-{digest[:6]}"

    @property
    def namespace(self) -> str:
        """The Kedro namespace of its nodes."""
        return f"{METHOD}.{self.slug}"


def foreign_plan(parameters: Mapping[str, Any], dataset: str) -> ForeignPlan | None:
    """Return the predictions that the parameter ``predictions`` names; None without it.

    Raises:
        ParameterError: if the parameter is not a file's path, or its name in tables is not a word.
    """
    file, name = parameters.get("predictions"), parameters.get("predictions_name")
    if file is None and name is None:
        return None
    if not isinstance(file, str) or not isinstance(name, str | None):
        raise ParameterError(
            f"predictions is {file!r} and predictions_name is {name!r}; give the path of a .parquet or .csv file, and "
            "optionally a name for its method in tables"
        )
    return ForeignPlan(at_home(file), name or PurePath(file).stem, dataset)
