"""What a method costs beside what is published: parameters, multiply-accumulates, milliseconds of one image."""

from collections.abc import Sequence

import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.published import published_number

FIELDS = {"params": "Params", "macs": "FLOPs"}
"""What is counted, and what ADDL's Table 12 calls it; its FLOPs are multiply-accumulates."""

TIMES = {"milliseconds": "inference time", "fps": "speed"}
"""What is measured, and what ADDL's Table 13 calls it: inference on a GTX 1080Ti, the batch not stated."""

COSTED = {
    "SCN": ("SCN", "ResNet-18"),
    "Baseline_mat": ("Baseline_mat", "S_g+S_e"),
    "DFEM": ("ADDL", "DFEM"),
    "DFEM Multi-PIE": ("ADDL", "DFEM"),
    "DFEM RAF-DB": ("ADDL", "DFEM"),
    "MINE": ("ADDL", "MINE"),
    "ADDM": ("ADDL", "ADDM S_g+S_e+S_d"),
}
"""Our networks in Table 12, by its method and variant. Its one DFEM stands beside the joint model, which is 1.9 %
larger than the table says, and beside those of either dataset, which have the size that it says."""

TIMED = ("SCN", "Baseline_mat", "ADDL")
"""The methods of Table 13."""

REFERENCES = ("SCN", "Baseline_mat")
"""Against whom times are put: ADDL's comparator, and the network that ADDL is at test time."""

_LOW, _HIGH = 0.25, 0.75
_DEVICE = "batch not stated; GTX 1080Ti"


def beside_published(counted: pd.DataFrame) -> pd.DataFrame:
    """Put the published counts beside ours.

    Args:
        counted: ``model``, ``params``, ``macs``.

    Returns:
        The same with ``published_params``, ``published_macs``, and how far ours are off, ``params_difference`` and
        ``macs_difference``, as a share of the published ones; all null where none are published.
    """
    table = counted.copy()
    for field, metric in FIELDS.items():
        known = {model: _published("Table 12", *row, metric) for model, row in COSTED.items()}
        table[f"published_{field}"] = table["model"].map(known)
        table[f"{field}_difference"] = table[field] / table[f"published_{field}"] - 1
    return table[["model", *FIELDS, *(f"published_{f}" for f in FIELDS), *(f"{f}_difference" for f in FIELDS)]]


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
    for field, metric in TIMES.items():
        known = {model: _published("Table 13", model, _DEVICE, metric) for model in TIMED}
        table[f"published_{field}"] = table.index.map(known)
    return table.assign(rounds=len(rounds)).reset_index(names="model")


def _published(table: str, method: str, variant: str, metric: str) -> float:
    return published_number("addl", table, method, variant, "RAF-DB", metric)
