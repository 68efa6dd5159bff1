"""Features in the plane, run by run (ADDL, Fig. 7)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.predictions import FEATURE_PREFIX
from openfer.schemas import EMBEDDING
from openfer.seeds import generator_for

MOST_FACES = 2000
"""Faces of a figure; a random choice of more, since every point costs time and hides others."""

_FEWEST = 4
_COMPONENTS = 50
_PERPLEXITY = 30.0


def tsne(features: np.ndarray) -> np.ndarray:
    """Reduce features to 50 principal components and these by t-SNE to the plane, as the public code of DDL does.

    The perplexity is 30, or a third of the other faces where there are fewer; the start is the principal components,
    so that nothing is drawn at random and the same features give the same plane. Neighbours in the plane are
    neighbours in feature space; distances between far points and areas of groups mean nothing.

    Args:
        features: float, (N, D), N at least 4.

    Returns:
        float32, (N, 2).
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    components = min(_COMPONENTS, *features.shape)
    reduced = PCA(components, svd_solver="full").fit_transform(features.astype(np.float64))
    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    plane: np.ndarray = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
    return plane.astype(np.float32)


def embedding_table(runs: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Return where the faces that all runs were tested on lie in each run's plane.

    Args:
        runs: by name, the features of a run, valid under :data:`openfer.schemas.FEATURES`, and its predictions of
            one selection and one task, valid under :data:`openfer.schemas.PREDICTIONS`.

    Returns:
        A table valid under :data:`openfer.schemas.EMBEDDING`, of 2,000 faces of each run at most.

    Raises:
        DataError: if the runs share fewer than four faces.
    """
    tables = [features.set_index("sample_id") for features, _ in runs.values()]
    common = tables[0].index
    for table in tables[1:]:
        common = common[common.isin(table.index)]
    if len(common) < _FEWEST:
        raise DataError(
            f"{', '.join(runs)} share {len(common)} tested faces, t-SNE wants {_FEWEST} or more; predict them all on "
            "the same split, or compare fewer methods"
        )
    if len(common) > MOST_FACES:
        chosen = generator_for(0, "embedding").choice(len(common), MOST_FACES, replace=False)
        common = common[np.sort(chosen)]
    parts = []
    for (name, (_, predictions)), table in zip(runs.items(), tables, strict=True):
        own = table.loc[common]
        plane = tsne(own.filter(regex=f"^{FEATURE_PREFIX}").to_numpy())
        answers = predictions.set_index("sample_id")["y_pred"].loc[common]
        columns = {"run": name, "y_true": own["y_true"], "y_pred": answers, "x": plane[:, 0], "y": plane[:, 1]}
        parts.append(pd.DataFrame(columns, index=common).reset_index())
    return EMBEDDING.validate(pd.concat(parts, ignore_index=True)[list(EMBEDDING.columns)])
