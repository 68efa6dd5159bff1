"""Labels made wrong on purpose, to see what a method does with them."""

import numpy as np

from openfer.labels import MISSING


def flipped(labels: np.ndarray, classes: int, share: float, draw: np.random.Generator) -> np.ndarray:
    """Return labels of which a share is another class, each other one as probable.

    Args:
        labels: class indices, (N,); :data:`openfer.labels.MISSING` stays.
        classes: how many there are, two or more where any label is to change.
        share: of the labelled samples, rounded to a whole number of them.
        draw: who changes, and to what.

    Returns:
        int64, (N,).
    """
    known = np.flatnonzero(labels != MISSING)
    chosen = draw.permutation(known)[: round(share * len(known))]
    changed = labels.astype(np.int64)
    changed[chosen] = (changed[chosen] + draw.integers(1, classes, len(chosen))) % classes
    return changed
