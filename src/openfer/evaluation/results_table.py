"""The results of several runs as one table: for a file, for the terminal, for a page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.metrics import METRICS, OF_FACES, named
from openfer.evaluation.names import run_name
from openfer.evaluation.predictions import RUN, classified
from openfer.evaluation.scores import METHOD, summarise
from openfer.evaluation.text_tables import markdown_table
from openfer.labels import AFFECT

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

FACTS = ("initialisation", "data_version", "tested_on", "epoch")
"""What must be known of a run before its numbers are printed."""

ORACLE = "oracle, not comparable"
"""How a number is labelled whose epoch was chosen on the test set."""

_KEY = ("method", "variant", "selection", "seed")

_LEAST_WIDTH = 8
"""Letters of a method's name on one line."""

_MOST_VALUES = 4

_MOST_TASKS = 8
"""A run of more tasks, such as forty attributes, is shown by their mean; the file has them all."""


def results_table(predictions: pd.DataFrame, facts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Join scores and facts: one row per task, method, variant and selection, with all its seeds and folds.

    Rows that may be compared stand together: by task, then by selection, oracles last.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`, any number of runs.
        facts: one mapping per run and selection with ``method, variant, selection, seed``, the values of
            :data:`FACTS`, and anything else, which is not read.

    Returns:
        The columns of :func:`openfer.evaluation.scores.summarise`, then ``name``, those of :data:`FACTS` (values that
        differ between runs joined by ", ") and ``comparable``, False for an oracle.

    Raises:
        DataError: if a fact of a run is missing.
    """
    known = pd.DataFrame([dict(fact) for fact in facts]).reindex(columns=[*_KEY, *FACTS])
    runs = classified(predictions)[list(RUN)].drop_duplicates()
    joined = runs.merge(known, on=list(_KEY), how="left")
    missing = joined[joined[list(FACTS)].isna().any(axis=1)]
    if len(missing):
        run = missing.iloc[0]
        raise DataError(
            f"the run {run[list(_KEY)].to_dict()} lacks {[name for name in FACTS if pd.isna(run[name])]}; a result "
            "is reported with them: predict the run again, or write down where a foreign model comes from"
        )
    described = joined.groupby(list(METHOD), sort=False)[list(FACTS)].agg(_distinct).reset_index()
    table = summarise(predictions).merge(described, on=list(METHOD), validate="one_to_one")
    table["name"] = [run_name(*pair) for pair in zip(table["method"], table["variant"], strict=True)]
    table["comparable"] = table["selection"] != "oracle_test"
    order: list[Any] = [~table["comparable"], pd.factorize(table["task"])[0], pd.factorize(table["selection"])[0]]
    return table.iloc[np.lexsort(order[::-1])].reset_index(drop=True)


def render_terminal(table: pd.DataFrame, sentences: Sequence[str]) -> "Group":
    """Return the table for a rich console: results, then a rule and the oracles, then what is the same in all rows.

    Args:
        table: what :func:`results_table` gave.
        sentences: printed below it, such as :func:`openfer.evaluation.compare.sentences`.
    """
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    table = _few_rows(table)
    cells, shared = _cells(table)
    parts: list[Any] = [_rich(cells[table["comparable"].to_numpy()])] if table["comparable"].any() else []
    if not table["comparable"].all():
        parts += [Rule(f"{ORACLE}: the epoch was chosen on the test set", style="yellow")]
        parts += [_rich(cells[~table["comparable"].to_numpy()])]
    return Group(*parts, Text(shared, style="dim"), *(Text(sentence) for sentence in sentences))


def to_markdown(table: pd.DataFrame, sentences: Sequence[str]) -> str:
    """Return what :func:`render_terminal` shows as Markdown; oracles have a table of their own."""
    table = _few_rows(table)
    cells, shared = _cells(table)
    parts = [markdown_table(cells[table["comparable"].to_numpy()])] if table["comparable"].any() else []
    if not table["comparable"].all():
        parts += [
            f"**{ORACLE}**: the epoch was chosen on the test set",
            markdown_table(cells[~table["comparable"].to_numpy()]),
        ]
    return "\n\n".join([*parts, shared, "\n".join(f"- {sentence}" for sentence in sentences)]).strip() + "\n"


def _cells(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Format the numbers; move columns with one value into a line, so that the rest fits a terminal."""
    cells = pd.DataFrame(
        {
            "method": table["name"],
            "selection": [s if ok else ORACLE for s, ok in zip(table["selection"], table["comparable"], strict=True)],
            **_face_cells(table),
            **_value_cells(table),
            "n": table["n"].astype(str),
            "folds": table["folds"].astype(str),
            "seeds": [_seeds(count, std) for count, std in zip(table["seeds"], table["accuracy_std"], strict=True)],
            "epoch": table["epoch"],
            "task": table["task"],
            "tested on": table["tested_on"],
            "initialisation": table["initialisation"],
            "data": table["data_version"],
            "not in the test set": table["absent"].astype(object).fillna(""),  # a CSV makes an empty word null
        }
    )
    if (table["folds"] == 1).all():
        cells = cells.drop(columns=[METRICS["fold_accuracy"].heading, "folds"])
    same = [name for name in list(cells)[list(cells).index("epoch") + 1 :] if cells[name].nunique() == 1]
    shared = " · ".join(f"{name}: {cells[name].iloc[0]}" for name in same if cells[name].iloc[0])
    legend = "± is the standard error of drawing n test samples"
    legend += "; sd is between seeds." if (table["seeds"] > 1).any() else "."
    return cells.drop(columns=same), f"{shared}. {legend}" if shared else legend


def _face_cells(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return a column for each metric of faces that the terminal shows, the accuracy with its standard error."""
    cells = {}
    for metric in (METRICS[name] for name in named(*OF_FACES) if METRICS[name].in_terminal and name in table):
        shown = [f"{100 * value:.1f}" if metric.in_per_cent else f"{value:.3f}" for value in table[metric.name]]
        if metric.name == "accuracy":
            errors = ["" if np.isnan(error) else f" ± {100 * error:.1f}" for error in table["standard_error"]]
            shown = [value + error for value, error in zip(shown, errors, strict=True)]
        cells[metric.heading] = shown
    return cells


def _value_cells(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return valence and arousal in one column per metric, empty for a run that does not predict them."""
    if f"{AFFECT[0]}_n" not in table:
        return {}
    cells = {}
    for title in dict.fromkeys(METRICS[name].title for name in named("values")):
        both = [name for name in named("values") if METRICS[name].title == title and name in table]
        means, stds = ([table[f"{name}{end}"] for name in both] for end in ("", "_std"))
        spread = [f" (sd {pair})" if pair else "" for pair in _side_by_side(stds)]
        cells[f"{title} V / A"] = [mean + sd for mean, sd in zip(_side_by_side(means), spread, strict=True)]
    return cells | {"rated": _side_by_side([table[f"{name}_n"] for name in AFFECT], digits=0)}


def _side_by_side(columns: Sequence[pd.Series], digits: int = 3) -> list[str]:
    rows = np.column_stack([column.to_numpy(dtype=float) for column in columns])
    return ["" if np.isnan(row).all() else " / ".join(f"{value:.{digits}f}" for value in row) for row in rows]


def _few_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with one row in place of the many tasks of a run: their means, and the extreme tasks."""
    runs = [run for _, run in table.groupby(["method", "variant", "selection"], sort=False)]
    if all(len(run) <= _MOST_TASKS for run in runs):
        return table
    return pd.concat([_mean_of_tasks(run) if len(run) > _MOST_TASKS else run for run in runs], ignore_index=True)


def _mean_of_tasks(run: pd.DataFrame) -> pd.DataFrame:
    ordered = run.sort_values("accuracy")
    told = [f"{task} {100 * value:.1f} %" for task, value in zip(ordered["task"], ordered["accuracy"], strict=True)]
    row = run.iloc[:1].copy()
    row["task"] = f"mean of {len(run)} tasks, from {told[0]} to {told[-1]}"
    names = [name for name in named(*OF_FACES) if name in run]
    row[names] = run[names].mean().to_numpy()
    row["n"] = run["n"].max()
    row["absent"] = ""
    # neither is known of a mean: the tasks are answered on the same faces
    row["standard_error"] = row["accuracy_std"] = np.nan
    return row


def _distinct(values: pd.Series) -> str:
    """Return each value once; of many numbers, such as the epochs of ten folds, the first and the last."""
    each = list(dict.fromkeys(values))
    many = len(each) > _MOST_VALUES and all(isinstance(value, int | np.integer) for value in each)
    return f"{min(each)} to {max(each)}" if many else ", ".join(map(str, each))


def _seeds(count: int, std: float) -> str:
    return str(count) if count == 1 or np.isnan(std) else f"{count} (sd {100 * std:.1f})"


def _rich(cells: pd.DataFrame) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    long = {"method", "initialisation", "data", "not in the test set"}  # give way first where a terminal is narrow
    words = {"selection", "task", "tested on", *long}
    for name in cells:
        least = _LEAST_WIDTH if name == "method" else None
        table.add_column(
            str(name),
            justify="left" if name in words else "right",
            no_wrap=name not in long,
            overflow="fold",
            min_width=least,
        )
    for row in cells.itertuples(index=False):
        table.add_row(*map(str, row))
    return table
