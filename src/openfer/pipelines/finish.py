"""The last node of every run: its record, which says that the run is complete."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from openfer.io.runs import RunRecord
from openfer.runs.settings import RunSettings


def finish(
    slug: str,
    prerequisites: Mapping[str, str],
    trained: str,
    run: RunSettings,
    history: pd.DataFrame,
    metrics: Mapping[str, Mapping[str, float]] | None = None,
    facts: list[dict[str, Any]] | None = None,
) -> RunRecord:
    """Return the record of a complete run.

    Args:
        slug: its identity.
        prerequisites: slugs of the runs that it needed, by method.
        trained: slug of the run whose models it predicts with; empty if they are its own.
        run: its settings.
        history: of its training.
        metrics: its scores by task and selection; None for a method without a task.
        facts: one mapping per selection.
    """
    seconds = float(history.loc[history["name"] == "seconds", "value"].sum())
    main = next((str(fact["selection"]) for fact in facts or () if fact["main_selection"]), "")
    scores = {key.removesuffix(f".{main}"): own for key, own in (metrics or {}).items() if key.endswith(f".{main}")}
    return RunRecord(
        slug=slug,
        state="done",
        settings=run.model_dump(mode="json"),
        row=run.row,
        prerequisites=dict(prerequisites),
        trained=trained,
        selection=main,
        scores={task: {name: float(value) for name, value in own.items()} for task, own in scores.items()},
        seconds=seconds,
    )
