"""Features on a plane: t-SNE, so that a person sees which faces a method finds alike."""

import numpy as np
import pandas as pd

from openfer.evaluation.predictions import FEATURE_PREFIX

_FIRST = 50
"""Principal components that t-SNE starts from, as the public code of DDL has it."""

_PERPLEXITY = 30.0


def embed(features: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Place faces on a plane.

    Distances within a group of neighbours mean something; those between groups, and the axes, do not.

    Args:
        features: valid under :data:`openfer.schemas.FEATURES`, at least four rows.
        seed: the same one gives the same picture.

    Returns:
        ``sample_id, y_true, x, y``.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    columns = [name for name in map(str, features) if name.startswith(FEATURE_PREFIX)]
    values = features[columns].to_numpy(dtype=np.float64)
    if min(values.shape) > _FIRST:
        values = PCA(_FIRST, random_state=seed).fit_transform(values)
    perplexity = min(_PERPLEXITY, (len(values) - 1) / 3)
    place = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values)
    return features[["sample_id", "y_true"]].reset_index(drop=True).assign(x=place[:, 0], y=place[:, 1])
