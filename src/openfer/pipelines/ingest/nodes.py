"""Thin nodes from a raw folder to a split."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.faces.config import FacesConfig
from openfer.io.face_store import FaceStore
from openfer.parameters import RawFolder, Settings
from openfer.protocols.config import DatasetProtocol

log = logging.getLogger(__name__)
_SHOWN_PER_CLASS = 5


def inventory(root: RawFolder) -> pd.DataFrame:
    """Return every file of the copy with its size and hash."""
    from openfer.datasets.inventory import take_inventory
    from openfer.datasets.tree import Tree

    return take_inventory(Tree(root.root))


def read_rows(
    name: str, reader: str, root: RawFolder, options: Settings, inventory: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Return what the publisher says of every face, some at a time; the inventory stands for the files' content."""
    from openfer.datasets.registry import reader_class
    from openfer.datasets.tree import Tree

    log.info("%s: %d files", name, len(inventory))
    return reader_class(reader)(options).batches(Tree(root.root), name)


def sources(rows: pd.DataFrame, inventory: pd.DataFrame) -> pd.DataFrame:
    """Return where each face is, and nothing that alignment does not need: a corrected label aligns nothing anew."""
    from openfer.protocols.contents import places

    digests = (int(digest[:15], 16) for digest in inventory["sha256"].fillna("0"))  # enough to tell another file
    numbers = np.append(np.fromiter(digests, np.int64, len(inventory)), -1)
    return rows.assign(content=numbers[places(rows["path"], inventory["path"])])


def align(
    name: str, root: RawFolder, config: FacesConfig, sources: pd.DataFrame, work: Path
) -> tuple[Path, pd.DataFrame]:
    """Cut out all faces; a killed run goes on from its finished shards.

    Returns:
        The face store and the quarantine.
    """
    from openfer.faces.align_set import align_set

    faces, quarantine = align_set(sources, root.root, config, work, name)
    log.info("%s: %d faces, %d rows in quarantine", name, len(sources) - len(quarantine), len(quarantine))
    return faces, quarantine


def split(rows: pd.DataFrame, faces: FaceStore, protocol: DatasetProtocol) -> pd.DataFrame:
    """Return who trains, who selects and who tests, among the rows that have a face."""
    from openfer.protocols.make import make_split

    have_faces = rows[_with_face(rows, faces)].reset_index(drop=True)
    return make_split(have_faces, _hashes(faces), protocol)


def duplicates(faces: FaceStore, protocol: DatasetProtocol) -> pd.DataFrame:
    """Return all pairs of equal or nearly equal faces."""
    from openfer.protocols.duplicates import duplicate_pairs

    hashes = faces.table(["sample_id", "perceptual_hash"]).assign(sha256=faces.contents())
    return duplicate_pairs(hashes, protocol.near_duplicate_bits)


def leakage(
    rows: pd.DataFrame, split: pd.DataFrame, faces: FaceStore, pairs: pd.DataFrame, protocol: DatasetProtocol
) -> pd.DataFrame:
    """Report subjects, equal and nearly equal faces on two sides; a holdout shares its subjects by design."""
    from openfer.protocols.leakage import leakage_report

    shared = protocol.kind == "holdout"
    return leakage_report(rows, split, _hashes(faces), pairs=pairs, identities_shared=shared)


def deduplicate(split: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the split without those test faces that have an equal or nearly equal one in training."""
    from openfer.protocols.deduplicated import deduplicated

    return deduplicated(split, pairs)


def groups(rows: pd.DataFrame, split: pd.DataFrame, deduplicated: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of test faces that are reported beside the whole."""
    from openfer.protocols.groups import groups_of

    return groups_of(rows, split, deduplicated)


def listed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that rows from elsewhere name by themselves."""
    from openfer.protocols.groups import listed as groups_of_lists

    return groups_of_lists(rows)


def counts(rows: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Return how many faces of each class have which role."""
    from openfer.protocols.counts import split_counts

    return split_counts(rows, split)


def sheet(rows: pd.DataFrame, faces: FaceStore) -> Any:
    """Return a picture of aligned faces of every class."""
    from openfer.io.contact_sheet import contact_sheet
    from openfer.protocols.contents import alphabetical

    stored = rows[_with_face(rows, faces)]
    order = alphabetical(stored["sample_id"])
    label = stored["expression"].astype(object).fillna("(no label)").iloc[order]
    first = order[label.groupby(label).cumcount() < _SHOWN_PER_CLASS]
    shown = stored.iloc[first].assign(label=label.loc[stored.index[first]]).sort_values(["label", "sample_id"])
    images = [faces.image(int(row)) for row in faces.rows_of(shown["sample_id"])]
    captions = [f"{row.label}, {row.path}" for row in shown.itertuples()]
    return contact_sheet(images, captions, columns=_SHOWN_PER_CLASS, cell=160)


def _with_face(rows: pd.DataFrame, faces: FaceStore) -> np.ndarray:
    """Return which rows have a face, (N,), bool."""
    from openfer.protocols.contents import places

    return places(rows["sample_id"], faces.table(["sample_id"])["sample_id"]) >= 0


def _hashes(faces: FaceStore) -> pd.Series:
    """Return by ``sample_id`` a number for each content, which takes a tenth of the memory of its hash."""
    number, _ = pd.factorize(faces.contents())
    return pd.Series(number, index=faces.table(["sample_id"])["sample_id"], name="content")
