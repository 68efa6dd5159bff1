"""Numbers for the contents of samples, which take a tenth of the memory of their hashes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def content_numbers(names: pd.Series, sha256: Mapping[str, str] | pd.Series) -> np.ndarray:
    """Return a number for each sample: equal for equal contents, in the order of the hashes.

    Args:
        names: sample ids, (N,).
        sha256: the hash of each face by ``sample_id``, a mapping or an indexed series.

    Returns:
        int64, (N,); -1 for a sample without a hash.
    """
    known = sha256 if isinstance(sha256, pd.Series) else pd.Series(dict(sha256), dtype=object)
    number, _ = pd.factorize(known, sort=True)
    return np.append(number, -1)[places(names, known.index.to_series())]


def places(names: pd.Series, known: pd.Series) -> np.ndarray:
    """Return where each name stands among the known ones, int64, (N,); -1 for one that does not.

    Arrow compares the names; an index of pandas would make an object of every one.
    """
    samples = pa.array(known.astype(str), pa.large_string())
    place = pc.index_in(pa.array(names.astype(str), pa.large_string()), value_set=samples).fill_null(-1)
    return place.to_numpy()
