"""Render a whole set into a face store, in parallel and resumably."""

import shutil
from pathlib import Path

import pandas as pd

from openfer.io.face_store import assemble_store
from openfer.workers import in_processes, with_bar
from openfer_faces.synthetic.config import RenderSettings
from openfer_faces.synthetic.shards import render_shard, shards_of


def render_set(scenes: pd.DataFrame, config: RenderSettings, folder: Path) -> Path:
    """Render scenes; a killed rendering goes on from its finished shards.

    The stored bytes do not depend on the number of workers.

    Args:
        scenes: from :func:`openfer_faces.synthetic.sets.plan`, people one after the other.
        config: image size and number of workers.
        folder: a work folder of this set alone; its ``shards`` are removed when the set is whole.

    Returns:
        The face store ``folder / "faces"``, in the order of the scenes, with five points, 68 points
        and each one's visibility (1 or 0) as confidence.

    Raises:
        AssetError: if a head asset is missing or damaged.
        StorageError: if the disk is full.
        OpenferError: if a worker was killed.
    """
    shards = shards_of(scenes, config.image_size, folder / "shards")
    pending = [shard for shard in shards if not shard.is_done]
    finished = sum(len(shard.records) for shard in shards if shard.is_done)
    counts = in_processes(render_shard, pending, config.workers, "synthetic.workers")
    with_bar(counts, str(scenes["dataset"].iloc[0]), len(scenes), finished, "face")
    faces = assemble_store(folder / "faces", [shard.path for shard in shards])
    shutil.rmtree(folder / "shards", ignore_errors=True)
    return faces
