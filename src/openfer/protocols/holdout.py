"""A per-image holdout, for tasks whose classes are people or that are trained across all people."""

import numpy as np
import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.schemas import SPLIT
from openfer.seeds import generator_for

HELD_OUT = 0.15
"""Share of the images that factors are judged on where all training faces of other tasks train."""


def image_holdout(rows: pd.DataFrame, validation_share: float, seed: int) -> pd.DataFrame:
    """Hold out single images of the training part, the same share of every identity.

    **Subjects overlap by design**: identity can be classified only where each person is on both sides,
    so accuracy here says nothing about unseen people. An identity with one image stays in training.
    Rows of the publisher's ``test`` partition get no role, so that a factor model never sees the
    test images of the expression task.

    Args:
        rows: the columns ``sample_id, dataset, identity, subject, partition``; where ``identity`` is null
            the subject takes its place, and rows with neither are one stratum per dataset.
        validation_share: of the images, in (0, 0.5]: above one half, identities would lose their
            training images.
        seed: the root seed; the split does not depend on the order of the rows.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT` with roles train and val, in the order of the
        rows, fold 0.

    Raises:
        ParameterError: if the share is not in (0, 0.5].
        DataError: if no rows are outside the test partition, or the share holds out no image.
    """
    if not 0 < validation_share <= 0.5:
        raise ParameterError(
            f"validation_share is {validation_share}; an image holdout takes a number above 0 and up to 0.5, so that "
            "every identity keeps training images"
        )
    usable = rows[rows["partition"] != "test"].reset_index(drop=True)
    if usable.empty:
        raise DataError(
            f"none of the {len(rows)} rows is outside the test partition; a holdout is made of training images: "
            "choose a dataset that has them"
        )
    role = np.full(len(usable), "train", dtype=object)
    role[_held_out(usable, validation_share, seed)] = "val"
    if not (role == "val").any():
        raise DataError(
            f"validation_share {validation_share} holds out none of {len(usable)} images; raise the share, or use "
            "identities with at least two images"
        )
    return SPLIT.validate(pd.DataFrame({"sample_id": usable["sample_id"], "fold": 0, "role": role}))


def _held_out(rows: pd.DataFrame, share: float, seed: int) -> np.ndarray:
    """Return the positions of the validation rows: a systematic sample along the list of identities.

    One image in 1/share along the shuffled images, sorted by identity, gives each identity its share
    rounded up or down, and the whole its share to within one image.
    """
    identity = rows["identity"].astype(object).where(rows["identity"].notna(), rows["subject"].astype(object))
    dataset = rows["dataset"].astype(object)
    stratum, _ = pd.factorize((dataset + "/" + identity).fillna("\0" + dataset), sort=True)
    generator = generator_for(seed, "image_holdout")
    shuffled = np.argsort(rows["sample_id"].to_numpy(dtype=str), kind="stable")[generator.permutation(len(rows))]
    ordered = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    shared = identity.isna().to_numpy() | (np.bincount(stratum)[stratum] > 1)
    ordered = ordered[shared[ordered]]
    steps = np.floor(np.arange(len(ordered) + 1) * share + generator.random())
    return ordered[np.diff(steps) > 0]
