"""The public lists of test images with occlusion, or with a head turned by more than 30 or 45 degrees."""

import logging
import re
from pathlib import Path, PurePosixPath

import pandas as pd
from pydantic import Field

from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.io.image_kinds import IMAGES
from openfer.parameters import FILE, Settings

_log = logging.getLogger(__name__)
_CLASS_BEFORE = re.compile(r"^\d_")


class ChallengeLists(Settings):
    """Where the lists are that Wang et al. (Region Attention Networks, TIP 2020) published.

    A relative path lies in the raw folder; None means that this copy has no such list.

    Attributes:
        occlusion: images with an occluded face.
        pose30: images with a head turned by more than 30 degrees.
        pose45: images with a head turned by more than 45 degrees.
    """

    occlusion: str | None = Field(None, json_schema_extra=FILE)
    pose30: str | None = Field(None, json_schema_extra=FILE)
    pose45: str | None = Field(None, json_schema_extra=FILE)


def challenge_subsets(tree: Tree, keys: pd.Series, lists: ChallengeLists) -> pd.Series:
    """Return the subsets that each row is on.

    An entry that a list repeats counts once. A list of which no entry is known is another dataset's or another
    edition's, an error; where only some are missing, a warning says how many.

    Args:
        tree: the raw folder.
        keys: the name of each row's image without folder and suffix; null for rows that are not tested on.
        lists: where the lists are.

    Returns:
        Lists of names, or null for rows on no list; with the index of ``keys``.

    Raises:
        DataError: if a list is missing, is not text, or fits no row.
    """
    found: dict[str, set[str]] = {}
    known = set(keys.dropna())
    for name, place in lists:
        if place is None:
            continue
        path = tree.root / place
        entries = list(dict.fromkeys(_entries(path, name)))  # a repeated entry counts once
        missing = [entry for entry in entries if entry not in known]
        if len(missing) == len(entries):
            raise DataError(
                f"none of the {len(entries)} entries of {path} names a test image, such as {next(iter(entries), '')!r}"
                f"; the names here are like {next(iter(known), '')!r}: is it the list of this dataset and edition?"
            )
        if missing:
            _log.warning(
                "%d of the %d entries of %s name no test image of %s, such as %s",
                *(len(missing), len(entries), path, tree.root, missing[0]),
            )
        found[name] = set(entries)
    subsets = [[name for name, entries in found.items() if key in entries] or None for key in keys]
    return pd.Series(subsets, index=keys.index, dtype=object)


def _entries(path: Path, name: str) -> list[str]:
    """Return the image names of a list, without folder, class, suffix and what follows them.

    The lists have several forms: ``val/0/<name>/``, ``0/<name>.jpg``, ``0_<name>.png 8 1``, ``<name>_aligned 3 4``.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path} (list {name}) does not exist; correct challenge.{name} or leave it out") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} (list {name}) cannot be read as text: {error}") from error
    words = [line.split()[0] for line in lines if line.strip()]
    return [_name(word) for word in words]


def _name(word: str) -> str:
    name = PurePosixPath(word).name
    if name.lower().endswith(IMAGES):
        name = name.rpartition(".")[0]
    return _CLASS_BEFORE.sub("", name).removesuffix("_aligned")
