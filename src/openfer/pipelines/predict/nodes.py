"""The node of `predict`."""

from pathlib import Path

import pandas as pd

from openfer.inference.settings import PredictSettings
from openfer.parameters import RawFolder


def predict(folder: RawFolder, settings: PredictSettings, work: Path) -> pd.DataFrame:
    """Predict all faces of a folder; a killed run goes on from its finished parts.

    Args:
        folder: images and videos.
        settings: model and options.
        work: a work folder of this prediction alone.

    Returns:
        The table that `openfer predict` writes; see :func:`openfer.inference.rows.columns`.

    Raises:
        DataError: if the folder holds no image and no video.
        CheckpointError: if there is no such model.
        StorageError: if the disk is full.
    """
    from openfer.inference.parts import Parts
    from openfer.inference.predictor import load
    from openfer.inference.rows import columns
    from openfer.inference.sources import find_sources
    from openfer.inference.tracking import tracked
    from openfer.workers import with_bar

    sources = find_sources([str(folder.root)])
    predictor = load(settings.model, smallest_face=settings.smallest_face)
    parts = Parts(predictor, sources, work)
    with_bar(parts.make(), "predict", sum(source.count for source in sources), 0, "image")
    kinds = columns(predictor.card)
    table = pd.DataFrame(list(tracked(parts.rows(), settings.smooth)), columns=list(kinds))
    return table.astype({name: "Int64" if kind is int else kind for name, kind in kinds.items() if kind is not str})
