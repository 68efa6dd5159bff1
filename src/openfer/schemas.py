"""Schemas of the tables that cross pipelines, checked by the catalog on load and on save."""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow as arrow

from openfer.labels import ACTION_UNITS, AFFECT, AGES, EXPRESSIONS, FACTORS, GENDERS, RACES
from openfer.schema_columns import list_of, name, no_two_alike, number, numbers

_PARTITIONS = ("train", "val", "test")
_VOCABULARIES = {"gender": GENDERS, "age": AGES, "race": RACES}


ROWS = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "dataset": name(),
        "path": name(),
        "subject": name(nullable=True),
        "sequence": name(nullable=True),
        "frame": pa.Column("Int64", nullable=True, coerce=True),
        "partition": name(_PARTITIONS, nullable=True),
        "expression": name(EXPRESSIONS, nullable=True),
        "valence": number(-1, 1, nullable=True),
        "arousal": number(-1, 1, nullable=True),
        **{factor: name(_VOCABULARIES.get(factor), nullable=True) for factor in FACTORS},
        "votes": list_of(
            numbers(len(EXPRESSIONS), low=0), f"{len(EXPRESSIONS)} vote counts, in the order of EXPRESSIONS"
        ),
        "attributes": list_of(lambda names: all(isinstance(name, str) for name in names), "a list of names"),
        "subsets": list_of(lambda names: all(isinstance(name, str) for name in names), "a list of names"),
        "landmarks": list_of(numbers(4, 10, 136), "2, 5 or 68 points, x and y alternating"),
        "box": list_of(numbers(4), "left, top, width and height"),
        "licence": name(),
    },
    strict=True,
    name="rows",
)
"""One row per face in an image or a frame: what the publisher says of it.

``partition`` is null where the publisher gives none. ``attributes`` names those that the face has (CelebA);
``subsets`` names the lists that it is on (``occlusion``, ``pose30``, ``pose45``). ``illumination`` and ``pose`` are
Multi-PIE's names or a set's own. ``landmarks`` and ``box`` are
in pixels of the image as stored on disk, after its EXIF orientation; two points are the eyes.
"""

_KINDS = {
    "frame": arrow.int64(),
    "valence": arrow.float64(),
    "arousal": arrow.float64(),
    "votes": arrow.list_(arrow.float64()),
    "attributes": arrow.list_(arrow.string()),
    "subsets": arrow.list_(arrow.string()),
    "landmarks": arrow.list_(arrow.float64()),
    "box": arrow.list_(arrow.float64()),
}
PLACES = ("sample_id", "path", "frame", "landmarks", "box")
"""The columns of :data:`ROWS` that say where a face is."""

_ROWS = arrow.schema([(name, _KINDS.get(name, arrow.string())) for name in ROWS.columns])
FILES = {
    "rows": _ROWS,
    "inventory": arrow.schema({"path": arrow.string(), "bytes": arrow.int64(), "sha256": arrow.string()}),
    "sources": arrow.schema([*map(_ROWS.field, PLACES), arrow.field("content", arrow.int64())]),
}
"""The columns of tables that are written some rows at a time: :data:`ROWS`, what a raw folder holds, where faces are.

What is not a number or a list is text. ``content`` is a number of the file's content, -1 for a missing one.
"""


def complete_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with all columns of :data:`ROWS`, the missing ones null, in the schema's order, checked."""
    missing = {column: None for column in ROWS.columns if column not in table}
    return ROWS.validate(table.assign(**missing)[list(ROWS.columns)])


QUARANTINE = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "path": name(),
        "frame": pa.Column("Int64", nullable=True, coerce=True),
        "reason": pa.Column(str, pa.Check.str_length(min_value=1), coerce=True),
    },
    strict=True,
    name="quarantine",
)
"""Rows that have no face, and why; rows = faces + quarantine."""

SPLIT = pa.DataFrameSchema(
    {
        "sample_id": name(),
        "fold": pa.Column(int, pa.Check.ge(0), coerce=True),
        "role": name(_PARTITIONS),
    },
    checks=no_two_alike("sample_id", "fold"),
    strict=True,
    name="split",
)
"""Who trains, who selects and who tests, per fold."""

GROUPS = pa.DataFrameSchema(
    {"sample_id": name(), "by": name(), "group": name()},
    checks=no_two_alike("sample_id", "by", "group"),
    strict=True,
    name="groups",
)
"""Who is in which group, for scores by group: ``by`` says by what, such as ``occluder``, ``group`` which one.

A sample may be in several groups of one kind, or in none. Kinds and groups stand in the order of a report.
"""


def group_table(groups: Mapping[tuple[str, str], Iterable[str]]) -> pd.DataFrame:
    """Return a table valid under :data:`GROUPS` from the sample ids of each ``(by, group)``, in the order given."""
    names = [pd.Series(ids, dtype=str) for ids in groups.values()]
    sizes = [len(ids) for ids in names]
    words = (pd.Series([key[place] for key in groups], dtype=str).repeat(sizes) for place in (0, 1))
    columns = [pd.concat([pd.Series(dtype=str), *names]), *words]
    table = dict(zip(GROUPS.columns, (column.reset_index(drop=True) for column in columns), strict=True))
    return GROUPS.validate(pd.DataFrame(table))


LANDMARKS = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "points68": list_of(numbers(136), "68 points, x and y alternating"),
        "confidence68": list_of(numbers(68, low=0, high=1), "68 confidences in [0, 1]"),
    },
    strict=True,
    name="landmarks",
)
"""The 68 points of each face in crop pixels, and the probability that each can be seen."""


_BLENDSHAPES = list_of(numbers(1 + len(ACTION_UNITS), low=0, high=1), "52 blendshapes in [0, 1]")
_POINTS_478 = list_of(numbers(478 * 3), "478 points, x, y and z alternating")

GEOMETRY = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "presence": number(0, 1),
        **{angle: number(-most, most) for angle, most in (("yaw", 180), ("pitch", 90), ("roll", 180))},
        **{f"{side}blendshapes": _BLENDSHAPES for side in ("", "mirrored_")},
        **{f"{side}mesh": _POINTS_478 for side in ("", "mirrored_")},
    },
    strict=True,
    name="geometry",
)
"""What MediaPipe's face landmarker measures on each face, and on its mirror image.

``presence`` is the probability that the points are those of a face, low for profiles. The pose, in degrees, has the
signs of the renderer's camera: yaw to the person's left, pitch upwards, roll clockwise. Blendshapes have the order of
:data:`openfer.faces.mediapipe.blendshapes.BLENDSHAPES`. A mesh is in centimetres of the canonical face (x to the
image's right, y down, z away from the camera), without position, size and rotation.
"""


OPEN_FEATURES = pa.DataFrameSchema(
    {"sample_id": pa.Column(str, unique=True, coerce=True)}
    | {side: list_of(numbers(1728), "1728 numbers") for side in ("features", "mirrored_features")},
    strict=True,
    name="open_features",
)
"""What :func:`openfer.training.open_features.open_features` gives of each face, and of its mirror image."""


def _affect(side: str) -> pa.Column:
    rated = pa.Check.in_range(-1, 1) if side == "true" else None
    return pa.Column(float, rated, nullable=True, coerce=True, required=False)


def _says_something(table: pd.DataFrame) -> bool:
    rated = [f"{name}_true" for name in AFFECT if f"{name}_true" in table]
    return bool((table["y_true"].notna() | table[rated].notna().any(axis=1)).all())


PREDICTIONS = pa.DataFrameSchema(
    {
        "sample_id": name(),
        "fold": pa.Column(int, pa.Check.ge(0), coerce=True),
        "seed": pa.Column(int, coerce=True),
        "method": name(),
        "variant": name(),
        "selection": name(("last", "best_val", "oracle_test")),
        "task": name(),
        "y_true": name(nullable=True),
        "y_pred": name(),
        **{f"{name}_{side}": _affect(side) for name in AFFECT for side in ("true", "pred")},
        "dataset": pa.Column(str, coerce=True, required=False),
        "subject": pa.Column(str, nullable=True, coerce=True, required=False),
        "p_.+": pa.Column(float, pa.Check.in_range(0, 1), regex=True, coerce=True, nullable=True),
    },
    checks=pa.Check(_says_something, error="a row without a true class has a true valence or arousal"),
    unique=["sample_id", "fold", "seed", "method", "variant", "selection", "task"],
    strict=False,
    name="predictions",
)
"""One row per prediction; further columns are groups for sub-reports. ``subject`` is the person, where it is known.

Of a method that regresses, ``valence_true`` and ``arousal_true`` are the ratings, null where there is none, and
``valence_pred`` and ``arousal_pred`` its answers, which may lie outside [-1, 1]. ``y_true`` is null in such a run
alone, for a face that is rated and has no class; scores of classes leave it out.
"""

GRAD_CAM = pa.DataFrameSchema(
    {
        "sample_id": name(),
        "method": name(),
        "variant": name(),
        "selection": name(("last", "best_val", "oracle_test")),
        "seed": pa.Column(int, coerce=True),
        "task": name(),
        "y_true": name(nullable=True),
        "y_pred": name(),
        "image": pa.Column(object),
        "rows": pa.Column(int, pa.Check.ge(1), coerce=True),
        "columns": pa.Column(int, pa.Check.ge(1), coerce=True),
        "of_predicted": list_of(lambda cells: bool(np.all(np.asarray(cells) >= 0)), "evidence, 0 or more"),
        "of_true": list_of(lambda cells: bool(np.all(np.asarray(cells) >= 0)), "evidence, 0 or more"),
    },
    unique=["sample_id", "method", "variant", "selection", "seed", "task"],
    strict=True,
    name="grad_cam",
)
"""Where a method looks on a few faces: one row per face and task.

``image`` is the crop that the method saw, a PNG file's bytes. The maps, for the predicted and the true class, are
lists of ``rows`` times ``columns`` cells, row by row; ``of_true`` is null where the face has no label.
"""


def _features(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["sample_id", "y_true"], errors="ignore")


def _in_single_precision(table: pd.DataFrame) -> pd.DataFrame:
    kinds = _features(table).dtypes
    others = [name for name, kind in kinds.items() if kind != np.float32 and pd.api.types.is_numeric_dtype(kind)]
    return table.astype(dict.fromkeys(others, np.float32)) if others else table


def _named_features(table: pd.DataFrame) -> bool:
    kinds = _features(table).dtypes
    return all(re.fullmatch("f[0-9]+", str(name)) and kind == np.float32 for name, kind in kinds.items())


FEATURES = pa.DataFrameSchema(
    {"sample_id": pa.Column(str, unique=True, coerce=True), "y_true": name()},
    # all columns at once: one by one, pandera takes half a second for a thousand
    parsers=pa.Parser(_in_single_precision),
    checks=[
        pa.Check(_named_features, error="the columns beside sample_id and y_true are numbers named f0, f1, ..."),
        pa.Check(lambda table: bool(_features(table).notna().all(axis=None)), error="no feature is null"),
    ],
    name="features",
)
"""What the classifier of a run's main selection reads of each tested face; ``y_true`` is of its first task."""

MASKED = pa.DataFrameSchema(
    {
        "sample_id": name(),
        "epoch": pa.Column(int, pa.Check.ge(1), coerce=True),
        "divergence": pa.Column(float, pa.Check.ge(0), coerce=True),
        "kept": pa.Column(bool),
        "label": name(nullable=True),
        "flipped": pa.Column(bool),
    },
    checks=no_two_alike("sample_id", "epoch"),
    strict=True,
    name="masked",
)
"""Which training faces a neighbourhood mask has left out, one row per face and epoch that showed it.

``divergence`` is between the predictions of the face and of its neighbour, in nats; ``label`` is the dataset's,
``flipped`` says that training was given another one.
"""

TRUTHS = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "person": name(),
        "expression": name(EXPRESSIONS),
        **{factor: name() for factor in FACTORS},
        "occluder": name(),
        "action_units": list_of(numbers(len(ACTION_UNITS), low=0), "a weight for each of ACTION_UNITS"),
    },
    strict=True,
    name="truths",
)
"""What is true of each rendered face, whatever its rows label.

``person`` is unlike those of all other sets, ``identity`` the set's own name of the same. ``pose`` and
``illumination`` may be classes of their own, fewer than the papers'. ``action_units`` has the order of
:data:`openfer.labels.ACTION_UNITS`; 1 is a full movement.
"""

_RUN = {
    "method": name(),
    "variant": name(),
    "selection": name(("last", "best_val", "oracle_test")),
    "seed": pa.Column(int, coerce=True),
    "when": name(("before", "after")),
}

PROBES = pa.DataFrameSchema(
    {
        **_RUN,
        "part": name(),
        "factor": name(),
        "held_out": name(("people", "images")),
        "n": pa.Column(int, pa.Check.ge(1), coerce=True),
        "people": pa.Column(int, pa.Check.ge(1), coerce=True),
        "classes": pa.Column(int, pa.Check.ge(2), coerce=True),
        "accuracy": number(0, 1),
        "chance": number(0, 1),
        "balanced_accuracy": number(0, 1),
        "balanced_chance": number(0, 1),
        "balanced_low": number(0, 1),
        "balanced_high": number(0, 1),
    },
    unique=["method", "variant", "selection", "seed", "when", "part", "factor"],
    strict=True,
    name="probes",
)
"""What linear probes read from the features of a run, one row per feature and factor.

``when`` is before or after training, ``part`` names the feature, ``held_out`` says what the probe has not seen in its
own training: the tested people, or other images of them (identity). ``chance`` is the share of the largest class and
belongs to ``accuracy``; ``balanced_chance`` is 1 / classes. The interval is of 95 % and of drawing the people.
"""

INDEPENDENCE = pa.DataFrameSchema(
    {
        **_RUN,
        "measure": name(("hsic", "mine")),
        "value": pa.Column(float, coerce=True),
        "p_value": number(0, 1, nullable=True),
        "n": pa.Column(int, pa.Check.ge(1), coerce=True),
        "people": pa.Column(int, pa.Check.ge(1), coerce=True),
    },
    unique=["method", "variant", "selection", "seed", "when", "measure"],
    strict=True,
    name="independence",
)
"""How far the expression feature and the disturbance feature of a run depend on each other.

``hsic`` is the normalised kernel measure with the probability of as much by chance; ``mine`` a bound of the mutual
information on unseen people in nats, below 0 where the estimator has learned nothing that holds for them.
"""

EMBEDDING = pa.DataFrameSchema(
    {
        "run": name(),
        "sample_id": name(),
        "y_true": name(),
        "y_pred": name(),
        "x": pa.Column("float32", coerce=True),
        "y": pa.Column("float32", coerce=True),
    },
    checks=no_two_alike("run", "sample_id"),
    strict=True,
    name="embedding",
)
"""Where the features of tested faces lie in a plane, run by run; coordinates of two runs have nothing in common."""
