"""Shards: fixed groups of people, rendered by one worker each and kept until the set is whole."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.io.face_store import Face, write_shard
from openfer_faces.synthetic.people.person import Person, make_person
from openfer_faces.synthetic.renderer.renderer import SUPERSAMPLING, Renderer
from openfer_faces.synthetic.scene.description import Scene
from openfer_faces.synthetic.template import Template

PEOPLE_PER_SHARD = 4
"""Fixed, so that shards do not depend on the number of workers."""


@dataclass(frozen=True)
class Shard:
    """A run of scenes.

    Attributes:
        records: the scenes' table rows.
        image_size: side of the images, pixels.
        path: its file of faces; named by its content, so that an altered plan finds no old shard.
    """

    records: tuple[dict[str, Any], ...]
    image_size: int
    path: Path

    @property
    def is_done(self) -> bool:
        """True once it has been rendered whole."""
        return self.path.is_file()


def shards_of(scenes: pd.DataFrame, image_size: int, folder: Path) -> list[Shard]:
    """Cut scenes into shards of :data:`PEOPLE_PER_SHARD` people, in the order given."""
    person = scenes["person_seed"].to_numpy()
    turn = np.concatenate([[False], person[1:] != person[:-1]]).cumsum() // PEOPLE_PER_SHARD
    shards = []
    for number, (_, group) in enumerate(scenes.groupby(turn, sort=False)):
        content = repr((list(group["sample_id"]), image_size, SUPERSAMPLING))
        digest = hashlib.blake2b(content.encode(), digest_size=6).hexdigest()
        records = tuple({str(key): value for key, value in record.items()} for record in group.to_dict("records"))
        shards.append(Shard(records, image_size, folder / f"{number:05d}-{digest}.arrow"))
    return shards


def render_shard(shard: Shard) -> int:
    """Render a shard into its file, atomically.

    Returns:
        The number of images.
    """
    return write_shard(shard.path, _faces(shard))


def _faces(shard: Shard) -> Iterator[Face]:
    template, renderer = _engine(shard.image_size)
    person: Person | None = None
    who: int | None = None
    for record in shard.records:
        scene = Scene.from_record(record)
        if person is None or who != scene.person_seed:
            who = scene.person_seed
            person = make_person(template, who, scene.gender, scene.age, scene.race)
        rendering = renderer.render(person, scene)
        yield Face(
            sample_id=record["sample_id"],
            image=rendering.image,
            points5=rendering.points5,
            points68=rendering.points68,
            confidence68=rendering.visible68.astype(np.float32),
        )


@lru_cache(maxsize=1)
def _engine(image_size: int) -> tuple[Template, Renderer]:
    """Return what a process renders all its shards with."""
    template = Template(image_size)
    return template, Renderer(template)
