"""Who or what is on two sides of a split."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.protocols.contents import content_numbers, people_numbers, places

_ROLES = ("train", "val", "test")
_COLUMNS = ("fold", "kind", "roles", "shared", "count", "checked", "samples", "examples", "verdict")
_EXAMPLES = 3
_BEFORE_THE_PEAK = ("train", "test")
"""The sides that share their sequences in the stability protocol."""

NONE_FOUND, LEAK, EXPECTED, UNKNOWN = "none found", "leak", "expected by design", "not checkable"
"""The verdicts."""


def leakage_report(
    rows: pd.DataFrame,
    split: pd.DataFrame,
    sha256: Mapping[str, str] | pd.Series,
    *,
    pairs: pd.DataFrame | None = None,
    identities_shared: bool = False,
    sequences_shared: bool = False,
) -> pd.DataFrame:
    """Look for subjects, and for equal or nearly equal images, that have two roles in one fold.

    Args:
        rows: the columns ``sample_id, dataset, subject``, and ``sequence`` where sequences are shared.
        split: valid under :data:`openfer.schemas.SPLIT`.
        sha256: the hash of each face by ``sample_id``, a mapping or an indexed series; samples without one
            are not checked for copies.
        pairs: from :func:`openfer.protocols.duplicates.duplicate_pairs`, over the faces that have a hash; without
            it near duplicates are not looked for.
        identities_shared: True for an image holdout, where shared subjects are the design; copies of an
            image are a leak there too.
        sequences_shared: True for the stability protocol, which tests the frames before those that train: subjects,
            sequences and near duplicates shared by train and test are the design. A subject who is in
            validation as well, and equal images, are a leak there too.

    Returns:
        One row per fold, kind (``subject``, ``exact_duplicate``; with pairs ``near_duplicate``: alike and
        not byte-identical; ``sequence`` where sequences are shared) and pair of roles that the fold has, also where
        nothing is found: ``fold, kind, roles`` (such as ``train/test``), ``shared`` (subjects, sequences or distinct
        images on both sides; for near duplicates, pairs), ``count`` (samples on the second side concerned),
        ``checked`` and ``samples`` (samples of the two sides whose subject, sequence or hash is known, and all of
        them), ``examples`` (sample ids of both sides), ``verdict``.
    """
    near = None if pairs is None else _not_identical(pairs, sha256)
    names = split["sample_id"]
    place = places(names, rows["sample_id"])
    numbers = {"subject": np.append(people_numbers(rows), -1)[place]}
    if sequences_shared:
        recordings = rows[["dataset", "sequence"]].set_axis(["dataset", "subject"], axis=1)
        numbers["sequence"] = np.append(people_numbers(recordings), -1)[place]
    del rows  # room for what follows
    numbers["exact_duplicate"] = content_numbers(names, sha256)
    del sha256
    found = []
    for fold in sorted(split["fold"].unique()):
        of_role = {role: ((split["fold"] == fold) & (split["role"] == role)).to_numpy() for role in _ROLES}
        sides = {role: mask for role, mask in of_role.items() if mask.any()}
        for kind, number in numbers.items():
            for first, second in combinations(sides, 2):
                by_design = sequences_shared and (first, second) == _BEFORE_THE_PEAK
                expected = kind != "exact_duplicate" and (identities_shared or by_design)
                row = {"fold": fold, "kind": kind, "roles": f"{first}/{second}"}
                found.append(row | _overlap(names, number, sides[first], sides[second], expected=expected))
        if near is not None:
            content = numbers["exact_duplicate"]
            for first, second in combinations(sides, 2):
                by_design = sequences_shared and (first, second) == _BEFORE_THE_PEAK
                row = {"fold": fold, "kind": "near_duplicate", "roles": f"{first}/{second}"}
                found.append(row | _alike(names, content, sides[first], sides[second], near, expected=by_design))
    return pd.DataFrame(found, columns=list(_COLUMNS))  # a split with one role has no two sides


def refuse_shared_subjects(report: pd.DataFrame) -> None:
    """Stop where a subject is both in training and in the test set of an official split.

    Copies of images are reported and not refused: published splits have them, and results are then given
    with and without.

    Args:
        report: what :func:`leakage_report` gave.

    Raises:
        DataError: if a subject is in train and test; the message names how many, and examples.
    """
    leaks = report[(report["kind"] == "subject") & (report["roles"] == "train/test") & (report["verdict"] == LEAK)]
    if len(leaks):
        worst = leaks.iloc[0]
        raise DataError(
            f"{worst['shared']} subjects are in training and in test (fold {worst['fold']}): {worst['count']} test "
            f"samples, such as {worst['examples']}. Results would measure remembered people: correct the partition or "
            "the subject in the dataset's reader, or use subject-independent folds"
        )


def _overlap(
    names: pd.Series, number: np.ndarray, first: np.ndarray, second: np.ndarray, *, expected: bool
) -> dict[str, object]:
    """Report who or what has the same number on two sides, given as masks of the names."""
    there, here = np.sort(number[first]), number[second]  # numpy's own functions for sets take more memory
    found = (there.take(np.searchsorted(there, here), mode="clip") == here) & (here >= 0)
    shared = np.unique(here[found])
    pairs = [
        " = ".join(names.iloc[int((side & (number == key)).argmax())] for side in (first, second))
        for key in shared[:_EXAMPLES]
    ]
    return _line(number, first, second, len(shared), int(found.sum()), pairs, expected=expected)


def _not_identical(pairs: pd.DataFrame, sha256: Mapping[str, str] | pd.Series) -> pd.DataFrame:
    """Return pairs of different files; a file without a hash is different from all others."""
    one, other = (content_numbers(pairs[side], sha256) for side in ("sample_id_1", "sample_id_2"))
    return pairs[(one != other) | (one < 0)]


def _alike(
    names: pd.Series,
    content: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    near: pd.DataFrame,
    *,
    expected: bool,
) -> dict[str, object]:
    """Report which pairs have one name on each of two sides, given as masks of the names."""
    paired = places(names, pd.concat([near["sample_id_1"], near["sample_id_2"]])) >= 0  # few are
    left, right = names[first & paired], names[second & paired]
    found = []
    for one, other in (("sample_id_1", "sample_id_2"), ("sample_id_2", "sample_id_1")):
        across = near[(places(near[one], left) >= 0) & (places(near[other], right) >= 0)]
        found.append(pd.DataFrame({"first": across[one], "second": across[other]}))
    across = pd.concat(found).sort_values(["first", "second"])
    examples = [f"{row.first} = {row.second}" for row in across.head(_EXAMPLES).itertuples()]
    concerned = across["second"].nunique()
    return _line(content, first, second, len(across), concerned, examples, expected=expected)


def _line(
    number: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    shared: int,
    count: int,
    examples: list[str],
    *,
    expected: bool,
) -> dict[str, object]:
    """Return what the report says of two sides; a number below 0 could not be compared."""
    checked = [int((number[side] >= 0).sum()) for side in (first, second)]
    if not all(checked):
        verdict = UNKNOWN
    elif not shared:
        verdict = NONE_FOUND
    else:
        verdict = EXPECTED if expected else LEAK
    return {
        "shared": shared,
        "count": count,
        "checked": sum(checked),
        "samples": int(first.sum()) + int(second.sum()),
        "examples": "; ".join(examples),
        "verdict": verdict,
    }
