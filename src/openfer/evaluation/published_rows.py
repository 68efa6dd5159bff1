"""Which published figure an accuracy of ours is measured against: the paper's own row on the same dataset."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from openfer.evaluation.metrics import METRICS

PAPERS = {
    "addl": "Ruan et al., IJCV 2022",
    "diversified": "Heidari and Iosifidis, 2022",
    "oadn": "Ding et al., CVPR-W 2020",
    "sna": "Fu et al.",
    "fdrl_eca": "Guo and Yang",
}
"""The papers by their names in the published table."""

_DATASETS = {
    "raf_db": "RAF-DB",
    "mmi": "MMI",
    "oulu_casia": "Oulu-CASIA",
    "sfew": "SFEW",
    "aff_wild2": "Aff-Wild2",
    "ferplus": "FER+",
    "fed_ro": "FED-RO",
}
"""How the papers call a dataset whose classes leave no doubt; see :func:`published_dataset` for the others."""

_IN_COLUMNS = {"affectnet": ("AffectNet",), "ck_plus": ("CK+",), "ferplus": ("FER+", "FERPlus")}
"""Words in names of published columns, such as Pose>30-FERPlus, where they are not :data:`_DATASETS`'s."""

_BY_FOLDS = {"CK+": 10, "CK+ (6 classes)": 10, "MMI": 10, "Oulu-CASIA": 10}
"""Datasets whose published accuracies are means over so many folds."""

_ADDL = ("ADDL", ""), ("ADDL (proposed)", ""), ("ADDL (proposed)", "input=Image")
_ROWS = {
    "addl": ("addl", _ADDL),
    "oadn": ("oadn", (("OADN(ours)", "ImageNet / same setting"), ("OADN(ours)", ""))),
    "sna": ("sna", (("Our Method", ""),)),
    "two_scale": ("sna", (("Our method (FL, BB)", "w/o Ours"),)),
    "fdrl_eca": ("fdrl_eca", (("FDRL-ECANet (proposed)", ""),)),
    "fdrl_eca_without_eca": ("fdrl_eca", (("w/o ECA (baseline)", ""),)),
    "fdrl_eca_without_fdrl": ("fdrl_eca", (("w/o FDRL", ""),)),
}
"""Variant -> paper, and its rows there: method and variant, the first that has the dataset."""

_TABLE_1 = {"cbam", "branch", "spatial", "channel"}
"""What the rows of `diversified`, Table 1, switch on; a run with more, such as a mask, is none of them."""


@dataclass(frozen=True)
class PublishedFigure:
    """A published accuracy.

    Attributes:
        accuracy: in [0, 1].
        source: paper, table and row.
        folds: over how many it is a mean.
    """

    accuracy: float
    source: str
    folds: int


def published_dataset(dataset: str, classes: int) -> str | None:
    """Return how the papers call a dataset with so many classes; None for one that they do not use."""
    if dataset == "affectnet":
        return f"AffectNet-{classes}"
    if dataset == "ck_plus":
        return "CK+ (6 classes)" if classes == 6 else "CK+"
    return _DATASETS.get(dataset)


def is_published_on(column: str, datasets: Iterable[str], classes: int) -> bool:
    """Return whether a published column is of one of our datasets or of a part of it, so that figures may be compared.

    Args:
        column: as the papers call it, such as ``AffectNet-7`` or ``Occlusion-AffectNet``.
        datasets: as parameters name them.
        classes: how many ours are told apart in; a column that names its own is of no other number.
    """
    named = re.search(r"-(\d+)$|\((\d+) classes\)$", column)
    if named is not None and int(named[1] or named[2]) != classes:
        return False
    words = (word for name in datasets for word in _IN_COLUMNS.get(name, (_DATASETS.get(name),)))
    return any(word is not None and word in column for word in words)


def own_rows(variant: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the paper that a variant is of and the names of its rows there: published method and variant."""
    known = _ROWS.get(variant.lower())
    if known is not None:
        return known
    name, *parts = variant.lower().split()
    if (name.startswith("esr-") or name == "manet") and set(parts) <= _TABLE_1:
        attention = int(name == "manet" or "cbam" in parts)
        flags = f"attention={attention};spatial_div={int('spatial' in parts)};channel_div={int('channel' in parts)}"
        return "diversified", (("MA-Net" if name == "manet" else name.upper(), flags),)
    return "addl", ((variant, ""),)


def published_figure(published: pd.DataFrame, variant: str, dataset: str, classes: int) -> PublishedFigure | None:
    """Return the accuracy that a variant's own paper prints for it on a dataset.

    Args:
        published: from :func:`openfer.evaluation.published.published_table`.
        variant: as predictions name it, such as ``ADDL`` or ``esr-9 cbam spatial``.
        dataset: as parameters name it, such as ``raf_db``.
        classes: how many the run knows.

    Returns:
        The first such figure in the paper; None where there is none.
    """
    called = published_dataset(dataset, classes)
    paper, rows = own_rows(variant)
    figures = published[
        (published["paper"] == paper)
        & (published["dataset"] == called)
        & published["metric"].isin(METRICS["accuracy"].printed)
    ]
    for method, of_variant in rows:
        same = (figures["method"].str.lower() == method.lower()) & (figures["variant"] == of_variant)
        if same.any():
            found = figures[same].iloc[0]
            row = ", ".join(word for word in (found["method"], found["variant"]) if word)
            return PublishedFigure(
                found["number"] / 100, f"{PAPERS[paper]}, {found['table']}: {row}", _BY_FOLDS.get(str(called), 1)
            )
    return None
