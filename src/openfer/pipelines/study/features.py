"""Nodes of a study that look at features: what they know of each factor, and where faces lie among them."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from openfer.code_version import code_version
from openfer.pipelines.study_plan import Cell, StudyPlan

if TYPE_CHECKING:
    from openfer.pipelines.study.run_store import FinishedRun

_KEPT = 8
"""Digits of the versions of code and truths in the names of tables that are kept with a run."""


def probe_cells(
    parts: Sequence[tuple[str, str]], plan: StudyPlan, folder: Path, cells: pd.DataFrame, *inputs: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ask the features of every finished cell what they know, before and after training; answers stay with the runs.

    Args:
        parts: what the inputs are: rows, faces, split, extras and truths of each dataset.
        plan: of the study.
        folder: of the finished runs.
        cells: with their state.
        *inputs: the datasets' tables and faces.

    Returns:
        :data:`openfer.schemas.PROBES` and :data:`openfer.schemas.INDEPENDENCE`, with the columns ``row`` and ``column``
        in front.
    """
    from openfer.nn.initialisation_settings import PRETRAIN
    from openfer.pipelines.probing import probe_run
    from openfer.pipelines.study.run_store import RunStore
    from openfer.pipelines.study.runs import tables_for

    data = dict(zip(parts, inputs, strict=True))
    store = RunStore(folder)
    code = code_version(probe_run)[:_KEPT]
    probes: list[pd.DataFrame] = []
    independence: list[pd.DataFrame] = []
    for cell, finished in _finished(plan, store, cells):
        run = cell.planned.run
        tables = tables_for(run, data)
        truths = pd.concat([data[dataset, "truths"] for dataset in run.datasets], ignore_index=True)
        start = store.needed(finished, PRETRAIN)
        before = None if start is None else start.models
        ask = partial(probe_run, run, finished.models, *tables, truths=truths, pretraining=before)
        known = hashlib.sha256(truths.to_csv(index=False).encode()).hexdigest()[:_KEPT]
        found = finished.tables((f"probes-{code}-{known}", f"independence-{code}-{known}"), ask)
        for collected, table in zip((probes, independence), found, strict=True):
            where = pd.DataFrame({"row": cell.row, "column": cell.column}, table.index)
            collected.append(pd.concat([where, table], axis=1))
    return pd.concat(probes, ignore_index=True), pd.concat(independence, ignore_index=True)


def probe_figures(probes: pd.DataFrame) -> tuple[Any, Any]:
    """Return factors by features, a panel a row, of plotly and of matplotlib; of the first column."""
    from openfer.evaluation.figures import probe_picture, probe_plot

    first = probes[probes["column"] == probes["column"].iloc[0]]
    # rows as the paper prints them
    named = first.assign(method="", variant=first["row"]).drop(columns=["row", "column"])
    return probe_plot(named), probe_picture(named)


def embed_cells(plan: StudyPlan, folder: Path, cells: pd.DataFrame) -> pd.DataFrame:
    """Return where the faces lie among the features of each row's first seed, :data:`openfer.schemas.EMBEDDING`."""
    from openfer.evaluation.embedding import embedding_table
    from openfer.pipelines.evaluation_nodes import main_selection
    from openfer.pipelines.study.run_store import RunStore

    runs: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    for cell, finished in _finished(plan, RunStore(folder), cells):
        answers = finished.predictions
        main = answers[answers["selection"] == main_selection(finished.facts)]
        runs.setdefault(cell.row, (finished.features, main[main["task"] == main["task"].iloc[0]]))
    return embedding_table(runs)


def embedding_figures(embedding: pd.DataFrame) -> tuple[Any, Any]:
    """Return the planes side by side, of plotly and of matplotlib."""
    from openfer.evaluation.figures import tsne_picture, tsne_plot

    return tsne_plot(embedding), tsne_picture(embedding)


def _finished(plan: StudyPlan, store: Any, cells: pd.DataFrame) -> Iterator[tuple[Cell, "FinishedRun"]]:
    for cell, line in zip(plan.cells.values(), cells.to_dict("records"), strict=True):
        if line["state"] == "done":
            yield cell, store.find(line["run"])
