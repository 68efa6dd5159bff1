"""Thin nodes from a raw folder to a split."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.faces.config import FacesConfig
from openfer.io.face_store import FaceStore
from openfer.io.table_file import TableFile
from openfer.parameters import RawFolder, Settings
from openfer.protocols.config import DatasetProtocol
from openfer.schemas import PLACES

log = logging.getLogger(__name__)
_SHOWN_PER_CLASS = 5


def inventory(root: RawFolder) -> Iterator[pd.DataFrame]:
    """Return every file of the copy with its size and hash, some at a time."""
    from openfer.datasets.inventory import take_inventory
    from openfer.datasets.tree import Tree

    return take_inventory(Tree(root.root))


def read_rows(
    name: str, reader: str, root: RawFolder, options: Settings, inventory: TableFile
) -> Iterator[pd.DataFrame]:
    """Return what the publisher says of every face, some at a time; the inventory stands for the files' content."""
    from openfer.datasets.registry import READERS
    from openfer.datasets.tree import Tree

    log.info("%s: %d files", name, len(inventory))
    return READERS[reader](options).batches(Tree(root.root), name)


def sources(rows: TableFile, inventory: TableFile, protocol: DatasetProtocol) -> Iterator[pd.DataFrame]:
    """Return where each face is, and nothing that alignment does not need: a corrected label aligns nothing again.

    Rows that no split can be made of are refused here, before the long work.
    """
    from openfer.datasets.inventory import with_contents
    from openfer.protocols.make import columns_of, refuse_unfit

    refuse_unfit(rows.table(columns_of(protocol)), protocol)
    return with_contents(rows.batches(PLACES), inventory.batches(["path", "sha256"]))


def align(name: str, root: RawFolder, config: FacesConfig, sources: TableFile, work: Path) -> tuple[Path, pd.DataFrame]:
    """Cut out all faces; a killed run goes on from its finished shards.

    Returns:
        The face store and the quarantine.
    """
    from openfer.datasets.tree import Tree
    from openfer.faces.align_set import align_set

    Tree(root.root)  # without the folder, each row would be called missing
    faces, quarantine = align_set(sources.batches(PLACES), len(sources), root.root, config, work, name)
    log.info("%s: %d faces, %d rows in quarantine", name, len(sources) - len(quarantine), len(quarantine))
    return faces, quarantine


def split(rows: TableFile, faces: FaceStore, protocol: DatasetProtocol) -> pd.DataFrame:
    """Return who trains, who selects and who tests, among the rows that have a face."""
    from openfer.protocols.make import columns_of, make_split

    table = rows.table(columns_of(protocol))
    contents = _contents(table["sample_id"], faces)
    table = table[contents >= 0].reset_index(drop=True)
    return make_split(table, pd.Series(contents[contents >= 0], table["sample_id"]), protocol)


def duplicates(faces: FaceStore, protocol: DatasetProtocol) -> pd.DataFrame:
    """Return all pairs of equal or nearly equal faces."""
    from openfer.protocols.duplicates import duplicate_pairs

    hashes = ["sample_id", "perceptual_hash"]
    return duplicate_pairs(faces.table(hashes).assign(sha256=faces.contents()), protocol.near_duplicate_bits)


def leakage(
    rows: TableFile, split: pd.DataFrame, faces: FaceStore, pairs: pd.DataFrame, protocol: DatasetProtocol
) -> pd.DataFrame:
    """Report subjects, equal and nearly equal faces on two sides, and which of them are the protocol's design."""
    from openfer.protocols.leakage import leakage_report

    names = split["sample_id"]
    people, stable = ["sample_id", "dataset", "subject"], protocol.kind == "stability"
    return leakage_report(
        rows.table([*people, "sequence"] if stable else people),
        split,
        pd.Series(_contents(names, faces), names),
        pairs=pairs,
        identities_shared=protocol.kind == "holdout",
        sequences_shared=stable,
    )


def deduplicate(split: pd.DataFrame, pairs: pd.DataFrame, protocol: DatasetProtocol) -> pd.DataFrame:
    """Return the split without those test faces that have an equal or nearly equal one in training.

    The stability protocol tests what comes just before a training face and looks like it; all of that stays.
    """
    from openfer.protocols.deduplicated import deduplicated

    return split if protocol.kind == "stability" else deduplicated(split, pairs)


def groups(rows: TableFile, split: pd.DataFrame, deduplicated: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of test faces that are reported beside the whole."""
    from openfer.protocols.contents import places
    from openfer.protocols.groups import LABELLED, groups_of

    named = ["subsets", *LABELLED]
    tested = split.loc[split["role"] != "train", "sample_id"].drop_duplicates()
    parts = (part[part[named].notna().any(axis=1)] for part in rows.batches(["sample_id", *named]))
    some = pd.concat(part[places(part["sample_id"], tested) >= 0] for part in parts)  # memory: the others have no score
    return groups_of(some, split, deduplicated)


def listed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that rows from elsewhere name by themselves."""
    from openfer.protocols.groups import listed as groups_of_lists

    return groups_of_lists(rows)


def counts(rows: TableFile, split: pd.DataFrame) -> pd.DataFrame:
    """Return how many faces of each class have which role."""
    from openfer.protocols.counts import split_counts

    return split_counts(rows.table(["sample_id", "subject", "expression"]), split)


def sheet(rows: TableFile, faces: FaceStore) -> Any:
    """Return a picture of aligned faces of every class."""
    from openfer.io.contact_sheet import contact_sheet
    from openfer.protocols.contents import places

    known = faces.table(["sample_id"])["sample_id"]
    shown = pd.DataFrame(columns=["sample_id", "path", "label", "face"])
    for some in rows.batches(["sample_id", "path", "expression"]):
        label = some["expression"].astype(object).fillna("(no label)")
        stored = some.assign(label=label, face=places(some["sample_id"], known)).query("face >= 0")
        shown = pd.concat([shown, stored[list(shown)]]).sort_values(["label", "sample_id"])
        shown = shown.groupby("label").head(_SHOWN_PER_CLASS)
    images = [faces.image(int(row)) for row in shown["face"]]
    captions = [f"{row.label}, {row.path}" for row in shown.itertuples()]
    return contact_sheet(images, captions, columns=_SHOWN_PER_CLASS, cell=160)


def _contents(names: pd.Series, faces: FaceStore) -> np.ndarray:
    """Return a number for the content of each sample's face, int64, (N,); -1 where it has no face."""
    from openfer.protocols.contents import places

    place = places(names, faces.table(["sample_id"])["sample_id"])  # before the contents: names need much room
    return np.append(faces.contents(), -1)[place]
