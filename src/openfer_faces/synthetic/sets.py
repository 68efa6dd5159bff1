"""The embedded sets: their scenes, and the rows that say what each set labels.

``synthetic_pie`` copies Multi-PIE's label structure, ``synthetic_raf`` that of RAF-DB's attributes,
``synthetic_fer`` an expression dataset and ``synthetic_sequences`` one of recordings; what a set does not label is
missing from its rows and kept in its scenes, for reports.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import ParameterError
from openfer.labels import AFFECT, AGES, BASIC_EXPRESSIONS, EXPRESSIONS, FACTORS, ILLUMINATIONS, POSES, RACES
from openfer.schemas import complete_rows
from openfer.seeds import generator_for, seed_for
from openfer_faces.synthetic.circumplex import circumplex
from openfer_faces.synthetic.config import RENDERED_GENDERS, Intensity, LandmarkSet, Mixture, SyntheticConfig
from openfer_faces.synthetic.scene.description import Scene
from openfer_faces.synthetic.scene.draws import Record, draw_manner, draw_occluder, laboratory_scene, wild_scene

_OF_RECORDINGS = ("sequence", "frame")
_RECOGNISED = "recognised"
_LABORATORY_AGES = ("20-39", "40-69")
_AGE_SHARES = {"0-3": 0.06, "4-19": 0.22, "20-39": 0.40, "40-69": 0.22, "70+": 0.10}
"""Ages in photographs of expressions."""

_LABELLED = {
    "synthetic_pie": ("identity", "illumination", "pose"),
    "synthetic_raf": ("gender", "age", "race"),
    "synthetic_fer": ("expression", *AFFECT),
    "synthetic_sequences": ("expression",),
}

SETS = tuple(_LABELLED)
"""The names of the embedded sets that carry labels."""

_SEQUENCES = "synthetic_sequences"
_SIX = tuple(name for name in BASIC_EXPRESSIONS if name != "neutral")

LANDMARKS = "synthetic_landmarks"
"""The set from which landmarks are learned; its rows would label nothing, its people are in no other set."""


def labelled_by(name: str) -> tuple[str, ...]:
    """Return what the rows of a set say of each face beside the person: expression or factors."""
    return _LABELLED[name]


def plan(name: str, config: SyntheticConfig) -> pd.DataFrame:
    """Return the scenes of a set, one row per image, ordered by person; nothing is rendered.

    Args:
        name: one of :data:`SETS`.
        config: sizes and seed.

    Returns:
        Columns ``sample_id`` (hash of the scene), ``dataset``, ``person``, ``number`` (of the image
        within the person), ``partition``, ``pose``, ``illumination`` and the fields of
        :class:`~openfer_faces.synthetic.scene.description.Scene`; of recordings also ``sequence`` and
        ``frame``, from 1; ``recognised``, the share of observers who name the expression, if ``fer.clear_at`` is set.

    Raises:
        ParameterError: if the name is unknown.
    """
    planners: dict[str, Callable[[SyntheticConfig], Iterator[Record]]] = {
        "synthetic_pie": _plan_pie,
        "synthetic_raf": _plan_raf,
        "synthetic_fer": _plan_fer,
        _SEQUENCES: _plan_sequences,
    }
    if name not in planners:
        raise ParameterError(f"there is no embedded set {name!r}; the sets are {', '.join(SETS)}")
    return pd.DataFrame([_complete(name, record) for record in planners[name](config)])


def plan_landmarks(sizes: LandmarkSet) -> pd.DataFrame:
    """Return the scenes of :data:`LANDMARKS`, as :func:`plan` does; partitions are train, val and test."""
    groups = {"train": sizes.train_people, "val": sizes.calibration_people, "test": sizes.test_people}
    wild = _plan_wild(LANDMARKS, sizes.seed, groups, sizes.images_per_person, sizes.mixture)
    return pd.DataFrame([_complete(LANDMARKS, record) for record in wild])


def rows(name: str, scenes: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a set: what it labels, and nothing else.

    Args:
        name: one of :data:`SETS`.
        scenes: the set's scenes from :func:`plan`.

    Returns:
        The columns of :data:`openfer.schemas.ROWS`; labels that the set lacks are missing.
    """
    labelled = _LABELLED[name]
    known = scenes.assign(identity=scenes["person"])
    if set(AFFECT) <= set(labelled):
        known = known.join(circumplex(scenes))
    count = len(scenes)

    def label(column: str) -> pd.Series:
        values = known[column].tolist() if column in labelled else [None] * count
        return pd.Series(values, dtype=object)

    columns: dict[str, Any] = {
        "sample_id": scenes["sample_id"].to_numpy(),
        "dataset": name,
        "path": [f"{person}/{number:02d}" for person, number in zip(scenes["person"], scenes["number"], strict=True)],
        "subject": scenes["person"].to_numpy(),
        "partition": scenes["partition"].to_numpy(),
        **{column: scenes[column].to_numpy() for column in _OF_RECORDINGS if column in scenes},
        **{column: label(column) for column in ("expression", *AFFECT, *FACTORS)},
        **({"votes": _votes(scenes)} if _RECOGNISED in scenes else {}),
        "licence": "CC0-1.0",
    }
    return complete_rows(pd.DataFrame(columns))


def _votes(scenes: pd.DataFrame) -> list[list[float]]:
    """Return the shares of observers for each of :data:`openfer.labels.EXPRESSIONS`."""
    shares = np.zeros((len(scenes), len(EXPRESSIONS)))
    every, recognised = np.arange(len(scenes)), scenes[_RECOGNISED].to_numpy()
    shares[every, [EXPRESSIONS.index(name) for name in scenes["expression"]]] = recognised
    shares[:, EXPRESSIONS.index("neutral")] += 1 - recognised
    return shares.tolist()


def _plan_pie(config: SyntheticConfig) -> Iterator[Record]:
    sizes = config.pie
    kinds = tuple(product(RENDERED_GENDERS, _LABORATORY_AGES, RACES))
    for index in range(sizes.people):
        generator = generator_for(config.seed, "synthetic_pie", index)
        gender, age, race = kinds[index % len(kinds)]
        dealt = (
            _deal(names, index, sizes.images_per_person, generator)
            for names in (POSES, ILLUMINATIONS, BASIC_EXPRESSIONS)
        )
        for number, (pose, illumination, expression) in enumerate(zip(*dealt, strict=True)):
            yield {
                **_who("synthetic_pie", config.seed, index, number),
                **{"partition": "train", "gender": gender, "age": age, "race": race},
                **_expression(expression, sizes.intensity, generator),
                **laboratory_scene(pose, illumination),
                "occluder": draw_occluder(sizes.occluded_share, generator),
            }


def _plan_raf(config: SyntheticConfig) -> Iterator[Record]:
    sizes = config.raf
    kinds = tuple(product(RACES, AGES, RENDERED_GENDERS))
    for index in range(sizes.people):
        generator = generator_for(config.seed, "synthetic_raf", index)
        race, age, gender = kinds[index % len(kinds)]
        expressions = _deal(BASIC_EXPRESSIONS, index, sizes.images_per_person, generator)
        for number, expression in enumerate(expressions):
            yield {
                **_who("synthetic_raf", config.seed, index, number),
                **{"partition": "train", "gender": gender, "age": age, "race": race},
                **_expression(expression, sizes.mixture.intensity, generator),
                **wild_scene(sizes.mixture, generator),
                "occluder": draw_occluder(sizes.mixture.occluded_share, generator),
                "manner": draw_manner(sizes.mixture.everyday_share, generator),
            }


def _plan_fer(config: SyntheticConfig) -> Iterator[Record]:
    sizes = config.fer
    groups = {"train": sizes.train_people, "test": sizes.test_people}
    kinds = tuple(product(sizes.genders, sizes.races))
    ages = {age: _AGE_SHARES[age] for age in sizes.ages}
    wild = _plan_wild("synthetic_fer", config.seed, groups, sizes.images_per_person, sizes.mixture, kinds, ages)
    if not sizes.clear_at:
        return wild
    return (record | {_RECOGNISED: _recognised(record, sizes.clear_at)} for record in wild)


def _recognised(record: Record, clear_at: Mapping[str, float]) -> float:
    """Return the share of observers who name the expression; the others call the face neutral."""
    threshold = clear_at.get(record["expression"])
    return 1.0 if threshold is None else min(1.0, record["intensity"] / threshold)


def _plan_wild(
    name: str,
    seed: int,
    groups: Mapping[str, int],
    images_per_person: int,
    mixture: Mixture,
    kinds: Sequence[tuple[str, str]] = tuple(product(RENDERED_GENDERS, RACES)),
    ages: Mapping[str, float] = _AGE_SHARES,
) -> Iterator[Record]:
    """Plan people of all kinds with all expressions as in photographs, with the given numbers per partition."""
    shares = np.array(list(ages.values())) / sum(ages.values())
    partitions = [partition for partition, people in groups.items() for _ in range(people)]
    for index, partition in enumerate(partitions):
        generator = generator_for(seed, name, index)
        gender, race = kinds[index % len(kinds)]
        age = str(generator.choice(list(ages), p=shares))
        expressions = _deal(BASIC_EXPRESSIONS, index, images_per_person, generator)
        for number, expression in enumerate(expressions):
            yield {
                **_who(name, seed, index, number),
                **{"partition": partition, "gender": gender, "age": age, "race": race},
                **_expression(expression, mixture.intensity, generator),
                **wild_scene(mixture, generator),
                "occluder": draw_occluder(mixture.occluded_share, generator),
                "manner": draw_manner(mixture.everyday_share, generator),
            }


def _plan_sequences(config: SyntheticConfig) -> Iterator[Record]:
    sizes = config.sequences
    kinds = tuple(product(RENDERED_GENDERS, RACES))
    for index in range(sizes.people):
        generator = generator_for(config.seed, _SEQUENCES, index)
        gender, race = kinds[index % len(kinds)]
        age = str(generator.choice(list(_AGE_SHARES), p=list(_AGE_SHARES.values())))
        expressions = _deal(_SIX, index, sizes.sequences_per_person, generator)
        for number, expression in enumerate(expressions):
            who = _who(_SEQUENCES, config.seed, index, number)  # one seed, so that all frames have the same details
            recording = {
                **who,
                **{"partition": None, "gender": gender, "age": age, "race": race},
                **_expression(expression, sizes.mixture.intensity, generator),
                **wild_scene(sizes.mixture, generator),
                "occluder": draw_occluder(sizes.mixture.occluded_share, generator),
                "manner": draw_manner(sizes.mixture.everyday_share, generator),
                "sequence": f"{who['person']}_{number:02d}",
            }
            for frame, share in enumerate(rise(sizes.frames), 1):
                yield recording | {
                    "number": number * sizes.frames + frame - 1,
                    "frame": frame,
                    "intensity": share * recording["intensity"],
                }


def rise(frames: int) -> list[float]:
    """Return the share of the peak that each frame shows, from 0 to 1.

    It rises fast at first and ever slower, as movement that comes to rest does. So the last five of six frames lie near
    the peak, like those of recordings that have many more (CK+: 18 on average).
    """
    return [1 - (1 - frame / (frames - 1)) ** 2 for frame in range(frames)]


def _deal(names: Sequence[str], turn: int, count: int, generator: np.random.Generator) -> list[str]:
    """Deal names like cards, going on where the previous turn stopped, then shuffle the hand.

    So counts differ by at most one within a turn and over all turns.
    """
    hand = [names[(turn * count + number) % len(names)] for number in range(count)]
    return [hand[place] for place in generator.permutation(count)]


def _who(name: str, seed: int, index: int, number: int) -> Record:
    return {
        "person": f"person_{index:05d}",
        "number": number,
        "person_seed": seed_for(seed, name, "person", index),
        "seed": seed_for(seed, name, "image", index, number),
    }


def _expression(expression: str, intensity: Intensity, generator: np.random.Generator) -> Record:
    drawn = float(generator.uniform(intensity.low, intensity.high))
    return {"expression": expression, "intensity": 0.0 if expression == "neutral" else drawn}


def _complete(name: str, record: Record) -> Record:
    """Fill a scene's defaults and name it by what it holds."""
    fields = {key: value for key, value in record.items() if key in Scene.__dataclass_fields__}
    scene = asdict(Scene(**fields))
    known = [(key, value) for key, value in sorted(scene.items()) if value is not None]
    digest = hashlib.blake2b(repr((name, known)).encode(), digest_size=8).hexdigest()
    names = ("person", "number", "partition", "pose", "illumination", _RECOGNISED, *_OF_RECORDINGS)
    aside = {key: record[key] for key in names if key in record}
    return {"sample_id": digest, "dataset": name, **aside, **scene}
