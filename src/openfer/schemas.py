"""Schemas of the tables that cross pipelines, checked by the catalog on load and on save."""

import pandera.pandas as pa

from openfer.labels import AGES, EXPRESSIONS, FACTORS, GENDERS, ILLUMINATIONS, POSES, RACES

_PARTITIONS = ("train", "val", "test")
_VOCABULARIES = {"gender": GENDERS, "age": AGES, "race": RACES, "illumination": ILLUMINATIONS, "pose": POSES}


def _name(values: tuple[str, ...] | None = None, *, nullable: bool = False) -> pa.Column:
    check = pa.Check.isin(values) if values else None
    return pa.Column(str, check, nullable=nullable, coerce=True)


def _number(low: float, high: float, *, nullable: bool = False) -> pa.Column:
    return pa.Column(float, pa.Check.in_range(low, high), nullable=nullable, coerce=True)


ROWS = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "dataset": _name(),
        "path": _name(),
        "subject": _name(nullable=True),
        "sequence": _name(nullable=True),
        "frame": pa.Column("Int64", nullable=True, coerce=True),
        "partition": _name(_PARTITIONS),
        "expression": _name(EXPRESSIONS, nullable=True),
        "valence": _number(-1, 1, nullable=True),
        "arousal": _number(-1, 1, nullable=True),
        **{factor: _name(_VOCABULARIES.get(factor), nullable=True) for factor in FACTORS},
        "licence": _name(),
    },
    strict=True,
    name="rows",
)
"""One row per image: what the publisher says of it."""

SPLIT = pa.DataFrameSchema(
    {
        "sample_id": _name(),
        "fold": pa.Column(int, pa.Check.ge(0), coerce=True),
        "role": _name(_PARTITIONS),
    },
    unique=["sample_id", "fold"],
    strict=True,
    name="split",
)
"""Who trains, who selects and who tests, per fold."""

PREDICTIONS = pa.DataFrameSchema(
    {
        "sample_id": _name(),
        "fold": pa.Column(int, pa.Check.ge(0), coerce=True),
        "seed": pa.Column(int, coerce=True),
        "method": _name(),
        "variant": _name(),
        "selection": _name(("last", "best_val", "oracle_test")),
        "task": _name(),
        "y_true": _name(),
        "y_pred": _name(),
        "p_.+": pa.Column(float, pa.Check.in_range(0, 1), regex=True, coerce=True, nullable=True),
    },
    unique=["sample_id", "fold", "seed", "method", "variant", "selection", "task"],
    strict=False,
    name="predictions",
)
"""One row per prediction; further columns are groups for sub-reports."""
