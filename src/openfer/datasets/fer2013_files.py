"""Where the images of FER2013 are: rows of its CSV file, or files that are named by row."""

from collections.abc import Mapping

import pandas as pd
from pydantic import field_validator

from openfer.datasets.labelling import named
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.parameters import Settings

USAGE: Mapping[str, str] = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
"""The contest's words; the public leaderboard chose models, the private one tested them."""

IMAGES = {"train": 28_709, "val": 3_589, "test": 3_589}
SIDE = 48
_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}


class Fer2013Images(Settings):
    """Which copy of the images is read.

    Attributes:
        table: the CSV file with ``emotion``, ``pixels`` and ``Usage``.
        images: empty where the images are rows of that file (``frame`` is then the row, see
            :class:`openfer.io.pixel_table.PixelTable`); otherwise a pattern of image files, in which ``{row}`` is the
            row counted from 0, ``{usage}`` the contest's word, and for FER+ ``{name}`` and ``{folder}`` are its own
            names, such as ``images/{row:05d}.png`` or ``{folder}/{name}``.
    """

    table: str = "fer2013.csv"
    images: str = ""

    @field_validator("images")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        if pattern and "{row" not in pattern and "{name" not in pattern:
            raise ValueError("must hold {row} or {name}, such as images/{row:05d}.png")
        try:
            pattern.format(row=0, usage="", name="", folder="")
        except (KeyError, IndexError, AttributeError, ValueError) as error:
            raise ValueError(f"knows {{row}}, {{usage}}, {{name}} and {{folder}} only: {error!r}") from error
        return pattern


def fer2013_table(tree: Tree, options: Fer2013Images) -> pd.DataFrame:
    """Return ``emotion`` and ``Usage`` of every row, without the pixels.

    Raises:
        DataError: if the file or a column is missing; ``pixels`` must be there where the images are its rows.
    """
    header = tree.table(options.table, "FER2013's table", nrows=0, skipinitialspace=True)
    if not options.images and "pixels" not in header:
        raise DataError(
            f"{tree.root / options.table} has the columns {list(header)} and no `pixels`; set options.images to the "
            "pattern of the image files, such as images/{row:05d}.png"
        )
    # some copies have a blank after each comma
    wanted = ("emotion", "Usage")
    return tree.table(
        options.table, "FER2013's table", wanted, skipinitialspace=True, usecols=lambda name: name.strip() in wanted
    )


def partitions(usage: pd.Series, where: str) -> pd.Series:
    """Return the partition of every row.

    Raises:
        DataError: if a word is not the contest's, or is missing.
    """
    return named(usage.fillna("(empty)"), USAGE, where)


def image_columns(options: Fer2013Images, usage: pd.Series, names: pd.Series | None = None) -> pd.DataFrame:
    """Return ``path`` and ``frame`` of every row.

    Args:
        options: which copy.
        usage: the contest's word per row, in the order of the file, checked by :func:`partitions`.
        names: FER+'s image names per row; null where it gives none. A pattern with ``{name}`` has no file there.
    """
    if not options.images:
        return pd.DataFrame({"path": options.table, "frame": range(len(usage))}, index=usage.index)
    given = pd.Series("", usage.index) if names is None or "{name" not in options.images else names
    paths = [
        None if pd.isna(name) else options.images.format(row=row, usage=word, name=name, folder=_FOLDERS[word])
        for row, (word, name) in enumerate(zip(usage, given, strict=True))
    ]
    return pd.DataFrame({"path": pd.Series(paths, usage.index, dtype=object)})
