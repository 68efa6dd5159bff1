"""The same split without those test images that training has seen in a copy."""

import logging

import pandas as pd

from openfer.errors import DataError
from openfer.protocols.contents import places
from openfer.schemas import SPLIT

_log = logging.getLogger(__name__)


def deduplicated(split: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Take the test role from images with an equal or nearly equal one in train or val of the same fold.

    Train and validation stay as they are, so a trained model serves both test sets; results are reported on both,
    because published numbers are on the whole one.

    Args:
        split: valid under :data:`openfer.schemas.SPLIT`.
        pairs: from :func:`openfer.protocols.duplicates.duplicate_pairs`.

    Returns:
        The split, valid under the same schema, without these rows; how many is logged, and is the difference
        in length.

    Raises:
        DataError: if a fold keeps no test image.
    """
    copies = copied_test_samples(split, pairs)
    taken = pd.Series(False, split.index)
    for fold, names in copies.groupby("fold")["sample_id"]:
        taken |= (split["fold"] == fold) & (places(split["sample_id"], names) >= 0)
    kept = split[~taken]
    emptied = sorted(set(split.loc[taken, "fold"]) - set(kept.loc[kept["role"] == "test", "fold"]))
    if emptied:
        raise DataError(
            f"all test images of fold {emptied[0]} have an equal or nearly equal one in training: nothing is left to "
            "test. Look at the pairs; lower protocol.near_duplicate_bits if they are different pictures"
        )
    tests = int((split["role"] == "test").sum())
    _log.info("%d of %d test images have a copy in train or val and are taken out", len(copies), tests)
    return SPLIT.validate(kept.reset_index(drop=True))


def copied_test_samples(split: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return ``sample_id, fold`` of the test images with a copy in train or val of the same fold.

    Args:
        split: valid under :data:`openfer.schemas.SPLIT`.
        pairs: each pair once, in any order; the columns ``sample_id_1, sample_id_2``.
    """
    forward = pairs[["sample_id_1", "sample_id_2"]].set_axis(["sample_id", "copy"], axis=1)
    both = pd.concat([forward, forward.set_axis(["copy", "sample_id"], axis=1)])
    split = split[places(split["sample_id"], both["sample_id"]) >= 0]  # few have a copy at all
    tests = split[split["role"] == "test"][["sample_id", "fold"]]
    learned = split[split["role"] != "test"][["sample_id", "fold"]].set_axis(["copy", "fold"], axis=1)
    met = tests.merge(both, on="sample_id").merge(learned, on=["copy", "fold"])
    return met[["sample_id", "fold"]].drop_duplicates(ignore_index=True)
