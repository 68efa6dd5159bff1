"""What is found in a copy, beside what was expected."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from openfer.datasets.contract import Expected
from openfer.datasets.inventory import by_suffix
from openfer.datasets.nearest import Nearest
from openfer.labels import EXPRESSIONS

Level = Literal["good", "note", "problem"]
COLUMNS = ("level", "check", "found", "expected", "meaning")
_SIDES = ("train", "val", "test", "")
_EXAMPLES = 3
_LISTS = (".csv", ".tsv", ".txt", ".lst", ".json", ".xml", ".yml", ".yaml", ".md", ".pdf", ".npy", ".mat")
"""Suffixes of what lies beside images: lists, annotations, read-me files."""

_ABSENT = "listed images that are not there"
_NONE = "none"
"""What is expected of damage, whether or not anything is published."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: ``good``; ``note`` (know it); ``problem`` (results will differ from published ones).
        check: what was looked at.
        found: what there is.
        expected: what there should be; empty where nothing is published.
        meaning: what it means and what to do.
    """

    level: Level
    check: str
    found: str
    expected: str = ""
    meaning: str = ""


def examine(
    rows: pd.DataFrame, files: pd.DataFrame, probed: pd.DataFrame, expected: Expected, advice: str = ""
) -> pd.DataFrame:
    """Compare a copy with what is expected of it.

    Args:
        rows: valid under :data:`openfer.schemas.ROWS`.
        files: the inventory: ``path, bytes, sha256``.
        probed: images that were decoded: ``path, width, height, problem`` (null where it is whole); all images, or
            a sample.
        expected: as published.
        advice: what the reader says of a copy without its images.

    Returns:
        One line per finding: ``level, check, found, expected, meaning``.
    """
    found = [
        *_files(rows, files, expected, advice),
        *_counts(rows, expected),
        *_people(rows, expected),
        *_images(probed, rows, files, expected),
        *_copies(rows, files),
        *_labels(rows, expected),
    ]
    return pd.DataFrame([asdict(finding) for finding in found], columns=list(COLUMNS))


def verdict(title: str, findings: pd.DataFrame) -> str:
    """Return the verdict on a copy in one or two sentences."""
    problems = findings[findings["level"] == "problem"]
    notes = findings.loc[findings["level"] == "note", "check"]
    also = f" {len(notes)} thing{'s' if len(notes) > 1 else ''} to know: {', '.join(notes)}." if len(notes) else ""
    compared = int((~findings["expected"].isin(["", _NONE])).sum())
    if problems.empty:
        if not compared:
            return f"Nothing is published to compare {title} with; the copy itself is whole.{also}"
        return f"This is the expected copy of {title}: {compared} comparisons hold.{also}"
    first = problems.iloc[int((problems["check"] == _ABSENT).argmax())]  # no image: all other checks follow from it
    said = f"This is NOT the expected copy of {title}" if compared else f"This copy of {title} is damaged"
    what_to_do = f" ({first['meaning']})" if first["check"] == _ABSENT else ""
    return (
        f"{said}: {len(problems)} of {len(findings)} checks fail. The first: {first['check']}: found {first['found']}"
        + (f", expected {first['expected']}" if first["expected"] else "")
        + f"{what_to_do}. Results on it cannot be compared with others until that is mended.{also}"
    )


def _files(rows: pd.DataFrame, files: pd.DataFrame, expected: Expected, advice: str) -> Iterator[Finding]:
    total = files["bytes"].sum() / 2**20
    yield Finding("good", "files", f"{len(files):,} files, {total:,.1f} MiB")
    unused = files.loc[~files["path"].isin(rows["path"]), "path"]
    if len(unused):
        known = bool(expected.images) or unused.str.lower().str.endswith(_LISTS).all()
        meaning = "" if known else "these are no images by their content"
        yield Finding("good" if known else "note", "files that no row is of", by_suffix(unused), "", meaning)
    empty = files.loc[files["bytes"] == 0, "path"]
    if len(empty):
        yield Finding("problem", "empty files", _some(empty), _NONE, "restore them from the publisher's archive")
    unread = files.loc[files["sha256"].isna(), "path"]
    if len(unread):
        yield Finding("problem", "files that cannot be opened", _some(unread), _NONE, "check permissions and the disk")
    missing = rows.loc[~rows["path"].isin(files["path"]), "path"].drop_duplicates()
    if len(missing):
        meaning = Nearest(files["path"]).advice(list(missing))
        found = f"{'all ' if len(missing) == rows['path'].nunique() else ''}{_some(missing)}"
        yield Finding("problem", _ABSENT, found, _NONE, advice or meaning)
    else:
        yield Finding("good", _ABSENT, "none")


def _counts(rows: pd.DataFrame, expected: Expected) -> Iterator[Finding]:
    side = rows["partition"].astype(object).fillna("")
    sizes = side.value_counts()
    for partition, count in expected.images.items():
        found = int(sizes.get(partition, 0)) if partition else len(rows)
        yield _compared(f"rows{_of(partition)}", found, count, "another edition, or an incomplete copy")
    for partition, classes in expected.classes.items():
        within = rows[side == partition] if partition else rows
        shown = within["expression"].value_counts()
        for name in EXPRESSIONS:
            found, count = int(shown.get(name, 0)), classes.get(name, 0)
            if found or count:
                yield _compared(
                    f"{name}{_of(partition)}", found, count, "labels of another edition, or in another order"
                )


def _people(rows: pd.DataFrame, expected: Expected) -> Iterator[Finding]:
    for what, column, count in (
        ("subjects", "subject", expected.subjects),
        ("sequences", "sequence", expected.sequences),
    ):
        found = int(rows[column].nunique())
        if count is not None:
            yield _compared(what, found, count, "an incomplete copy")
        elif found:
            yield Finding("good", what, f"{found:,}")
    if not rows["subject"].notna().any():
        yield Finding("note", "subjects", "unknown", "", "nobody can check whether a person is on two sides of a split")


def _images(probed: pd.DataFrame, rows: pd.DataFrame, files: pd.DataFrame, expected: Expected) -> Iterator[Finding]:
    bad = probed[probed["problem"].notna()]
    there = rows.loc[rows["path"].isin(files["path"]), ["path", "frame"]].drop_duplicates()
    of = f"of {len(probed):,} " + ("decoded (all)" if len(probed) == len(there) else "sampled")
    if len(bad):
        reasons = "; ".join(f"{name} ({count})" for name, count in bad["problem"].value_counts().head(3).items())
        meaning = f"{reasons}; such as {bad['path'].iloc[0]}: restore them, or they go into quarantine"
        yield Finding("problem", "images that cannot be read", f"{len(bad):,} {of}", _NONE, meaning)
    else:
        yield Finding("good", "images that cannot be read", f"none {of}")
    whole = probed[probed["problem"].isna()]
    if whole.empty:
        return
    sizes = (whole["width"].astype(int).astype(str) + "x" + whole["height"].astype(int).astype(str)).value_counts()
    usual = ", ".join(f"{size} ({count:,})" for size, count in sizes.head(3).items())
    if expected.image_size is None:
        yield Finding("good", "image sizes", f"{len(sizes):,} different; {usual}" if len(sizes) > 1 else f"all {usual}")
        return
    width, height = expected.image_size
    good = len(sizes) == 1 and sizes.index[0] == f"{width}x{height}"
    meaning = "" if good else "the images were resized or cropped, or are another edition"
    yield Finding("good" if good else "problem", "image sizes", usual, f"all {width}x{height}", meaning)


def _copies(rows: pd.DataFrame, files: pd.DataFrame) -> Iterator[Finding]:
    used = rows[rows["frame"].isna()].drop_duplicates("path").merge(files[["path", "sha256"]], on="path")
    used = used[used["sha256"].notna()]
    several = used[used["sha256"].duplicated(keep=False)]
    if several.empty:
        yield Finding("good", "images that occur twice", "none")
        return
    groups = several.groupby("sha256")
    yield Finding(
        "note", "images that occur twice", _some(several["path"]), "", f"{_groups(groups.ngroups)} of equal images"
    )
    sides = groups["partition"].nunique()
    if (sides > 1).any():
        yield Finding(
            "note",
            "images on two sides",
            _groups(int((sides > 1).sum())),
            "",
            "test images that were trained on; split_deduplicated leaves them out",
        )
    labels = groups["expression"].nunique()
    if (labels > 1).any():
        example = several.loc[several["sha256"] == labels.index[labels > 1][0], ["path", "expression"]]
        pair = ", ".join(f"{row.path} is {row.expression}" for row in example.head(2).itertuples())
        different = _groups(int((labels > 1).sum()))
        yield Finding("note", "equal images with different labels", different, "", pair)


def _labels(rows: pd.DataFrame, expected: Expected) -> Iterator[Finding]:
    without = int(rows["expression"].isna().sum())
    if without:
        found = f"{without:,} of {len(rows):,}"
        yield Finding("note", "rows without an expression", found, "", "they get no role in a split of expressions")
    shown = rows["expression"].dropna().unique()
    if len(shown) == 1 and not expected.classes:
        meaning = "training needs two or more; look for class folders that are empty or missing"
        yield Finding("note", "expressions", f"{shown[0]} only", "", meaning)
    for name in ("valence", "arousal"):
        values = rows[name].dropna()
        if len(values):
            yield Finding("good", name, f"{values.min():.3f} to {values.max():.3f}, n = {len(values):,}")
    if expected.landmarks:
        lacking = int(rows["landmarks"].isna().sum())
        level: Level = "problem" if lacking else "good"
        yield Finding(
            level,
            "rows without landmarks",
            f"{lacking:,}",
            "0",
            "the annotation folder is incomplete" if lacking else "",
        )


def _compared(check: str, found: int, expected: int, meaning: str) -> Finding:
    good = found == expected
    return Finding("good" if good else "problem", check, f"{found:,}", f"{expected:,}", "" if good else meaning)


def _of(partition: str) -> str:
    return f" of {partition}" if partition else ""


def _groups(count: int) -> str:
    return f"{count:,} group{'s' if count != 1 else ''}"


def _some(paths: "pd.Series[str]") -> str:
    names = ", ".join(paths.head(_EXAMPLES))
    return f"{len(paths):,}: {names}{' ...' if len(paths) > _EXAMPLES else ''}"


def class_counts(rows: pd.DataFrame, expected: Expected) -> pd.DataFrame:
    """Return the number of rows by class and partition, with the published one beside it.

    Returns:
        ``partition, label, found, published`` (null where nothing is published).
    """
    side = rows["partition"].astype(object).fillna("")
    table = rows.assign(partition=side, label=rows["expression"].astype(object).fillna("(no label)"))
    found = table.groupby(["partition", "label"]).size()
    published: Mapping[tuple[str, str], int] = {
        (partition, name): count for partition, names in expected.classes.items() for name, count in names.items()
    }
    order = {name: place for place, name in enumerate((*EXPRESSIONS, "(no label)"))}
    sides = {name: place for place, name in enumerate(_SIDES)}
    keys = sorted(set(found.index) | set(published), key=lambda key: (sides[key[0]], order[key[1]]))
    lines = [
        {
            "partition": side,
            "label": name,
            "found": int(found.get((side, name), 0)),
            "published": published.get((side, name)),
        }
        for side, name in keys
    ]
    return pd.DataFrame(lines).astype({"published": "Int64"})
