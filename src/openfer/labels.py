"""The label contract: the names of expressions and of the six disturbing factors.

Labels travel as names in every table; an integer exists only inside a tensor, beside the tuple
of class names that gives it a meaning. Each real dataset has its own codes or words; their maps
onto these names stand at the end, and no reader has a map of its own.
"""

from collections.abc import Mapping

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
"""The canonical order of the eight expressions; every class tuple is a subsequence of it."""

BASIC_EXPRESSIONS = EXPRESSIONS[:7]
"""The seven classes of RAF-DB, SFEW and Aff-Wild2: neutral and Ekman's six."""

GENDERS = ("male", "female", "unsure")
AGES = ("0-3", "4-19", "20-39", "40-69", "70+")
RACES = ("caucasian", "african", "asian")
"""RAF-DB's manual attributes, in the order of its codes (ADDL: 3 genders, 5 ages, 3 races)."""

POSES = (
    *(f"yaw{yaw:+d}" for yaw in range(-90, 91, 15)),
    "elevated-45",
    "elevated+45",
)
"""Multi-PIE's 15 viewpoints: thirteen at head height, 15 degrees apart, and two above."""

ILLUMINATIONS = tuple(f"light{number:02d}" for number in range(19))
"""Multi-PIE's 19 illuminations: room lights only, then one flash at a time."""

FACTORS = ("gender", "age", "race", "identity", "illumination", "pose")
"""ADDL's six disturbing factors, in the order of the paper's rows (g, a, r, id, il, p)."""

FACTOR_CLASSES: dict[str, tuple[str, ...]] = {
    "gender": GENDERS,
    "age": AGES,
    "race": RACES,
    "illumination": ILLUMINATIONS,
    "pose": POSES,
}
"""Closed vocabularies of the factors; identities are open and belong to a dataset."""


def expression_classes(names: set[str]) -> tuple[str, ...]:
    """Return the given expression names as a class tuple in canonical order.

    Raises:
        ValueError: if a name is not one of :data:`EXPRESSIONS`.
    """
    unknown = names - set(EXPRESSIONS)
    if unknown:
        raise ValueError(f"unknown expressions {sorted(unknown)}; the names are {', '.join(EXPRESSIONS)}")
    return tuple(name for name in EXPRESSIONS if name in names)


MISSING = -1
"""The class index of a sample that does not carry a label; no loss and no metric counts it."""


# --- the codes of each dataset -----------------------------------------------------------------

RAF_DB: Mapping[int, str] = {
    1: "surprise",
    2: "fear",
    3: "disgust",
    4: "happiness",
    5: "sadness",
    6: "anger",
    7: "neutral",
}
"""RAF-DB's basic expressions start with surprise at 1 (``list_patition_label.txt``)."""

RAF_DB_GENDER: Mapping[int, str] = dict(enumerate(GENDERS))
RAF_DB_RACE: Mapping[int, str] = dict(enumerate(RACES))
RAF_DB_AGE: Mapping[int, str] = dict(enumerate(AGES))
"""RAF-DB's manual attributes (``*_manu_attri.txt``, the three lines after the five points)."""
