"""Numbers for names and contents of samples, which take a tenth of the memory of words and hashes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_PARTS, _SMALLEST = 32, 1 << 13
"""Parts of the known names, each looked up at once: the time grows with the names, not with their square."""


def content_numbers(names: pd.Series, sha256: Mapping[str, str] | pd.Series) -> np.ndarray:
    """Return a number for each sample: equal for equal contents, in the order of the hashes.

    Args:
        names: sample ids, (N,).
        sha256: the hash of each face by ``sample_id``, a mapping or an indexed series; or a number from 0 for each.

    Returns:
        int64, (N,); -1 for a sample without a hash.
    """
    known = sha256 if isinstance(sha256, pd.Series) else pd.Series(dict(sha256), dtype=object)
    # numbers that stand for hashes already are as good as new ones
    number = known.to_numpy() if pd.api.types.is_integer_dtype(known) else pd.factorize(known, sort=True)[0]
    return np.append(number, -1)[places(names, known.index.to_series())]


def people_numbers(rows: pd.DataFrame) -> np.ndarray:
    """Return a number for each person, (dataset, subject), in the alphabet of ``dataset/subject``.

    Args:
        rows: the columns ``dataset, subject``.

    Returns:
        int64, (N,); -1 where the subject is unknown.
    """
    dataset, datasets = pd.factorize(rows["dataset"])
    subject, subjects = pd.factorize(rows["subject"])
    pair = np.where((dataset < 0) | (subject < 0), -1, dataset * max(len(subjects), 1) + subject)
    known = np.unique(pair[pair >= 0])
    words = [f"{datasets[one // len(subjects)]}/{subjects[one % len(subjects)]}" for one in known]
    rank = np.full(len(datasets) * len(subjects) + 1, -1)  # the last one is of pair -1
    rank[known[sorted(range(len(words)), key=words.__getitem__)]] = np.arange(len(words))
    return rank[pair]


def alphabetical(names: pd.Series) -> np.ndarray:
    """Return the places of names in the order of the alphabet, int64, (N,); equal ones as they come."""
    return pc.array_sort_indices(pa.array(names.astype(str), pa.large_string())).to_numpy().astype(np.int64)


def places(names: pd.Series, known: pd.Series) -> np.ndarray:
    """Return where each name stands among the known ones, int64, (N,); -1 for one that does not.

    Arrow compares the names, a part of the known ones at a time: an index of all would take several times their memory.
    """
    size = max(_SMALLEST, -(-len(known) // _PARTS))
    wanted = pa.array(names.astype(str), pa.large_string())
    place = np.full(len(wanted), -1)
    for start in range(0, len(known), size):
        some = pa.array(known.iloc[start : start + size].astype(str), pa.large_string())
        found = pc.index_in(wanted, value_set=some).fill_null(-1).to_numpy()
        here = np.flatnonzero((found >= 0) & (place < 0))
        place[here] = found[here] + start
    return place
