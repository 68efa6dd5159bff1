"""What a method costs beside what is published: parameters, multiply-accumulates, milliseconds of one image."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from openfer.errors import DataError


class Cost(NamedTuple):
    """One row of ADDL's Table 12: ``params`` and multiply-accumulates, which the paper calls FLOPs."""

    params: float
    macs: float


class Time(NamedTuple):
    """One row of ADDL's Table 13: inference on a GTX 1080Ti, the batch not stated."""

    milliseconds: float
    fps: float


PUBLISHED_COSTS: Mapping[str, Cost] = {
    "SCN": Cost(11.2e6, 1.82e9),
    "Baseline_mat": Cost(16.2e6, 2.82e9),
    "DFEM": Cost(11.4e6, 1.82e9),
    "DFEM Multi-PIE": Cost(11.4e6, 1.82e9),
    "DFEM RAF-DB": Cost(11.4e6, 1.82e9),
    "MINE": Cost(16.5e3, 16.4e3),
    "ADDM": Cost(20.6e6, 3.82e9),
}
"""ADDL, Table 12. Its one DFEM stands beside the joint model, which is 1.9 % larger than the table says, and beside
those of either dataset, which have the size that it says."""

PUBLISHED_TIMES: Mapping[str, Time] = {
    "SCN": Time(3.72, 268.88),
    "Baseline_mat": Time(5.17, 193.52),
    "ADDL": Time(5.21, 192.12),
}
"""ADDL, Table 13."""

REFERENCES = ("SCN", "Baseline_mat")
"""Against whom times are put: ADDL's comparator, and the network that ADDL is at test time."""

_LOW, _HIGH = 0.25, 0.75


def beside_published(counted: pd.DataFrame) -> pd.DataFrame:
    """Put the published counts beside ours.

    Args:
        counted: ``model``, ``params``, ``macs``.

    Returns:
        The same with ``published_params``, ``published_macs``, and how far ours are off, ``params_difference`` and
        ``macs_difference``, as a share of the published ones; all null where none are published.
    """
    table = counted.copy()
    for field in Cost._fields:
        published = table["model"].map({model: getattr(cost, field) for model, cost in PUBLISHED_COSTS.items()})
        table[f"published_{field}"] = published
        table[f"{field}_difference"] = table[field] / published - 1
    return table[
        ["model", *Cost._fields, *(f"published_{f}" for f in Cost._fields), *(f"{f}_difference" for f in Cost._fields)]
    ]


def latency_table(timed: pd.DataFrame, references: Sequence[str] = REFERENCES) -> pd.DataFrame:
    """Summarise how long single predictions took.

    Ratios are taken within each round, in which all models ran once, so that what slows the machine down for a while
    slows both sides.

    Args:
        timed: ``model``, ``round`` and ``milliseconds``; every model once in every round.
        references: models that the others are put against.

    Returns:
        One row per model in order of appearance: ``milliseconds``, the median over ``rounds``, with the quartiles
        ``low`` and ``high``; ``fps``, how many images follow each other in a second at the median; for each
        reference the median of the ratios and their quartiles (``against_scn``, ``against_scn_low``,
        ``against_scn_high``); ``published_milliseconds`` and ``published_fps``, null where none are.

    Raises:
        DataError: if a reference was not timed, or a model not in every round.
    """
    models = list(timed["model"].unique())
    rounds = timed.pivot(index="round", columns="model", values="milliseconds")[models]
    absent = [name for name in references if name not in models]
    if absent or rounds.isna().any().any():
        raise DataError(
            f"times of {', '.join(models)} over {len(rounds)} rounds: "
            + (f"{', '.join(absent)} is missing" if absent else "some model was not timed in every round")
            + "; time all models and references in each round"
        )
    table = pd.DataFrame(
        {"milliseconds": rounds.median(), "low": rounds.quantile(_LOW), "high": rounds.quantile(_HIGH)}
    )
    table["fps"] = 1000 / table["milliseconds"]
    for name in references:
        ratios, column = rounds.div(rounds[name], axis=0), f"against_{name.lower()}"
        table[column] = ratios.median()
        table[f"{column}_low"], table[f"{column}_high"] = ratios.quantile(_LOW), ratios.quantile(_HIGH)
    for field in Time._fields:
        table[f"published_{field}"] = table.index.map({m: getattr(t, field) for m, t in PUBLISHED_TIMES.items()})
    return table.assign(rounds=len(rounds)).reset_index(names="model")
