"""The files of a dataset inside a raw folder, by the layouts in circulation."""

from collections.abc import Sequence

import pandas as pd

from openfer.datasets.nearest import ARCHIVES
from openfer.datasets.tree import Tree
from openfer.errors import DataError

PICTURE = r"\.(?i:png|jpe?g|jpe|jfif|bmp|tiff?|webp|p[bgpn]m)"
"""The end of an image's name in a pattern; upper and lower case are alike."""


def matching_files(tree: Tree, pattern: str, layouts: Sequence[str], what: str) -> pd.DataFrame:
    """Return the files whose path matches a pattern, with its named groups as columns.

    Args:
        tree: the raw folder.
        pattern: a regular expression for the whole relative path; at least one named group always matches.
        layouts: the paths that the pattern stands for, in words, for the message.
        what: the dataset and the kind of file, for the message.

    Returns:
        ``path`` and one text column per named group, in the order of the tree.

    Raises:
        DataError: if no file matches; the message gives the known layouts and what the root holds.
    """
    files = pd.Series(tree.files, dtype=object)
    groups = files.str.extract(f"^(?:{pattern})$")
    found = groups.notna().any(axis=1)
    if not found.any():
        known = " or ".join(layouts)
        raise DataError(f"{tree.root} holds no {what}; the known layouts are {known}; {_instead(tree)}")
    return groups[found].assign(path=files[found]).reset_index(drop=True)


def _instead(tree: Tree) -> str:
    archives = tree.with_suffix("", ARCHIVES)
    if archives:
        return f"there is an archive, {archives[0]}: unpack it"
    if not tree.files:
        return "the folder is empty: set root to your copy"
    return f"the root holds files such as {tree.files[0]}: set root to the folder above the first name of a layout"
