"""How tight the classes lie in feature space, and how far apart."""

import numpy as np
import pandas as pd

from openfer.evaluation.predictions import FEATURE_PREFIX

ALL = "all"
"""The row of :func:`class_distances` that is over all classes."""


def class_distances(features: pd.DataFrame) -> pd.DataFrame:
    """Return how far features lie from the centre of their class, beside how far centres lie apart.

    Distances are Euclidean. Networks scale their features as they like, so only ``ratio`` can be compared between
    methods: 0 is one point per class, near 1 and above classes overlap.

    Args:
        features: valid under :data:`openfer.schemas.FEATURES`.

    Returns:
        One row per class in order of name, then :data:`ALL`: ``class, n, within`` (mean distance of a feature to
        the centre of its class), ``between`` (mean distance of the centre to the other centres, null where only one
        class was tested), ``ratio``.
    """
    values = features.filter(regex=f"^{FEATURE_PREFIX}").to_numpy(np.float64)
    labels, names = pd.factorize(features["y_true"], sort=True)
    counts = np.bincount(labels)
    centres = np.stack([values[labels == number].mean(0) for number in range(len(names))])
    within = np.bincount(labels, np.linalg.norm(values - centres[labels], axis=1)) / counts
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    between = apart.sum(1) / (len(names) - 1) if len(names) > 1 else np.full(1, np.nan)
    rows = pd.DataFrame({"class": names, "n": counts, "within": within, "between": between})
    whole = {"class": ALL, "n": len(values), "within": np.average(within, weights=counts), "between": between.mean()}
    table = pd.concat([rows, pd.DataFrame([whole])], ignore_index=True)
    return table.assign(ratio=table["within"] / table["between"])
