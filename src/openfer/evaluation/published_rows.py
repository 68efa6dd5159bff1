"""Which published figures are those of a run, and which of them may stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from openfer.evaluation.conditions import Conditions, Measured, conditions_of, remark_on
from openfer.evaluation.metrics import METRICS
from openfer.evaluation.published import find_published

PAPERS = {
    "addl": "Ruan et al., IJCV 2022",
    "diversified": "Heidari and Iosifidis, 2022",
    "oadn": "Ding et al., CVPR-W 2020",
    "sna": "Fu et al.",
    "fdrl_eca": "Guo and Yang",
}
"""The papers by their names in the published table."""


Rows = dict[tuple[str, str], tuple[tuple[str, str], ...]]
"""Method and variant -> rows of a paper: printed method and variant, in the order of preference."""


def _of_addl() -> Rows:
    """Return the rows of ADDL's Table 2 by method and variant, and the tables that call the whole ``proposed``."""
    own = {f"ddl_{'_'.join(name)}": f"DDL_{'&'.join(name)}" for name in _FACTORS}
    own |= {"addl_adfl": "ADDL_ADFL", "addl_mi": "ADDL_MI", "addl_mi_no_dfem": "ADDL_MI-DFEM"}
    rows: Rows = {("addl", variant): ((printed, ""),) for variant, printed in own.items()}
    rows |= {("baseline", name.lower()): ((name, ""),) for name in ("Baseline", "Baseline_at", "Baseline_mat")}
    whole = ("ADDL", ""), ("ADDL (proposed)", ""), ("ADDL (proposed)", "input=Image")
    return rows | {("addl", "addl"): whole}


def _of_diversified() -> Rows:
    """Return the rows of the diversified paper's Table 1 by method and variant."""
    parts = {"": (0, 0, 0), " cbam": (1, 0, 0), " cbam spatial": (1, 1, 0), " cbam spatial channel": (1, 1, 1)}
    rows: Rows = {
        ("esr", f"esr-{branches}{name}"): ((f"ESR-{branches}", _switches(*flags)),)
        for branches in (9, 15)
        for name, flags in parts.items()
    }
    # its last row diversifies patches and branches; a part of them is no row
    whole = {"manet": (1, 0, 0), "manet branch spatial channel": (1, 1, 1)}
    rows |= {("manet", name): (("MA-Net", _switches(*flags)),) for name, flags in whole.items()}
    return rows


def _switches(attention: int, spatial: int, channel: int) -> str:
    return f"attention={attention};spatial_div={spatial};channel_div={channel}"


_FACTORS = ("g",), ("ga",), ("gar",), ("gar", "id"), ("gar", "id", "il"), ("gar", "id", "il", "p")
"""The factors of ADDL's rows DDL, in the paper's abbreviations."""

_ROWS: Mapping[tuple[str, str, str], tuple[tuple[str, str], ...]] = {
    **{("addl", *key): rows for key, rows in _of_addl().items()},
    **{("diversified", *key): rows for key, rows in _of_diversified().items()},
    ("oadn", "oadn", "oadn"): (("OADN(ours)", "ImageNet / same setting"), ("OADN(ours)", "")),
    ("sna", "sna", "sna"): (("Our Method", ""),),
    ("sna", "two_scale", "two_scale"): (("Our method (FL, BB)", "w/o Ours"),),
    ("fdrl_eca", "fdrl_eca", "fdrl_eca"): (("FDRL-ECANet (proposed)", ""),),
    ("fdrl_eca", "fdrl_eca", "fdrl_eca_without_eca"): (("w/o ECA (baseline)", ""),),
    ("fdrl_eca", "fdrl_eca", "fdrl_eca_without_fdrl"): (("w/o FDRL", ""),),
}
"""The same by paper, method and variant."""


NOTHING_PUBLISHED: Mapping[str, Any] = MappingProxyType(
    {"published": float("nan"), "difference": float("nan"), "source": "", "differs": "", "remark": ""}
)
"""The columns of a table where no figure is published."""

_SEP = ", not comparable: "


@dataclass(frozen=True)
class PublishedFigure:
    """A published figure.

    Attributes:
        value: in the unit of its metric, such as per cent.
        dataset: as the paper calls it.
        source: paper, table and row, with the remark if there is one.
        conditions: what it was measured on; None where that is not recorded.
        remark: how its authors measure in another way than openfer; empty where they do not.
    """

    value: float
    dataset: str
    source: str
    conditions: Conditions | None
    remark: str = ""

    def differences(self, ours: Measured) -> tuple[str, ...]:
        """Return in words where a run differs from it; empty where both may stand side by side."""
        if self.conditions is None:
            return ("its conditions are not recorded",)
        return self.conditions.differences(ours)

    def beside(self, value: float, ours: Measured) -> dict[str, Any]:
        """Return the columns of a table in which a value of ours stands beside it.

        Args:
            value: in the unit of the figure.
            ours: what it was measured on.

        Returns:
            ``published`` and ``difference``, null where something differs; ``source``; ``differs``, the figure and what
            differs in words, empty where nothing does; ``remark``.
        """
        apart = self.differences(ours)
        about = {"source": self.source, "remark": self.remark}
        if apart:
            about |= {"differs": f"{self.value:g} published{_SEP}{'; '.join(apart)}"}
            return dict(NOTHING_PUBLISHED) | about
        return dict(NOTHING_PUBLISHED) | about | {"published": self.value, "difference": value - self.value}


def reasons(differs: str) -> str:
    """Return what differs, without the figure, from the column ``differs``."""
    return differs.partition(_SEP)[2]


def printed_figure(
    paper: str, table: str, method: str, variant: str, dataset: str, measure: str
) -> PublishedFigure | None:
    """Return the figure of one cell of a published table, or None if the paper has none for it.

    Args:
        paper: in the published table.
        table: of that paper.
        method: as printed.
        variant: as printed; of valence and arousal, the measure says it.
        dataset: as the paper calls it.
        measure: a key of :data:`openfer.evaluation.metrics.METRICS`.
    """
    metric = METRICS[measure]
    found = find_published(paper, table, method, metric.dimension or variant, dataset, *metric.printed)
    if not len(found):
        return None
    return _figure(paper, table, method, variant, dataset, float(found.iloc[0]))


def own_rows(method: str, variant: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return the paper of a method's variant and the names of its rows there; None where no paper has such a row."""
    for (paper, *key), rows in _ROWS.items():
        if key == [method, variant.lower()]:
            return paper, rows
    return None


def own_figures(published: pd.DataFrame, method: str, variant: str) -> list[PublishedFigure]:
    """Return the accuracies that a variant's own paper prints for it, one for each dataset.

    Args:
        published: from :func:`openfer.evaluation.published.published_table`.
        method: the registered method.
        variant: as predictions name it, such as ``addl`` or ``esr-9 cbam spatial``.
    """
    own = own_rows(method, variant)
    if own is None:
        return []
    paper, rows = own
    of_paper = published[(published["paper"] == paper) & published["metric"].isin(METRICS["accuracy"].printed)]
    found: dict[str, PublishedFigure] = {}
    for printed, of_variant in rows:
        same = (of_paper["method"] == printed) & (of_paper["variant"] == of_variant)
        for line in of_paper[same].to_dict("records"):
            figure = _figure(paper, line["table"], printed, of_variant, line["dataset"], line["number"])
            found.setdefault(line["dataset"], figure)
    return list(found.values())


def nearest(figures: list[PublishedFigure], ours: Measured) -> PublishedFigure | None:
    """Return the figure of the run's dataset that differs from it in the fewest ways; None without such a figure."""
    same = [figure for figure in figures if figure.conditions and ours.sources == (figure.conditions.source,)]
    return min(same, key=lambda figure: len(figure.differences(ours)), default=None)


def _figure(paper: str, table: str, method: str, variant: str, dataset: str, value: float) -> PublishedFigure:
    row, remark = ", ".join(word for word in (method, variant) if word), remark_on(paper, method)
    source = f"{PAPERS[paper]}, {table}: {row}" + (f" ({remark})" if remark else "")
    return PublishedFigure(value, dataset, source, conditions_of(paper, table, dataset), remark)
