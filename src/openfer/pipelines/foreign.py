"""The pipeline `evaluation` with ``predictions=...``: those of any other program, scored by the same nodes."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline
from pydantic import ConfigDict, Field, RootModel, field_validator

from openfer.io.runs import RunRecord
from openfer.parameters import FILE, at_home
from openfer.pipelines.bound import bound
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.run_pipeline import scored_nodes
from openfer.pipelines.space import Space
from openfer.runs.datasets import Datasets
from openfer.runs.foreign import ForeignPlan
from openfer.runs.tags import REQUESTED, run_tag


class PredictionsFile(RootModel[Path]):
    """A Parquet or CSV file of predictions. Its content decides the result, its place does not."""

    model_config = ConfigDict(frozen=True)
    root: Path = Field(json_schema_extra=FILE)

    _expands = field_validator("root")(at_home)


def foreign_pipeline(plan: ForeignPlan, datasets: Datasets) -> Pipeline:
    """Return the pipeline from a file of predictions to results, groups and figures.

    Args:
        plan: the file.
        datasets: the project's.
    """
    slug, space = plan.slug, Space(plan.namespace, run_tag(plan.slug))
    inputs = ["params:predictions", "params:predictions_name", f"{plan.dataset}_rows@table", f"{plan.dataset}_split"]
    read = space(bound(read_foreign, slug), inputs, [f"{slug}_predictions", f"{slug}_facts"], "read")
    results = [space.own("metrics_json"), f"{slug}_facts"]
    last = space(bound(finish_foreign, slug, plan.name), results, f"{slug}_run", "finish", REQUESTED)
    scored = scored_nodes(slug, space, [plan.dataset])
    return data_pipeline([plan.dataset], datasets) + Pipeline([read, *scored, last])


def read_foreign(
    slug: str, predictions: PredictionsFile, predictions_name: str, rows: pd.DataFrame, split: pd.DataFrame
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return predictions and the facts of the run, as a method's own node does."""
    from openfer.evaluation.foreign import foreign_predictions, read_predictions

    table, facts = foreign_predictions(
        read_predictions(predictions.root), rows, split, predictions_name, predictions.root
    )
    return table.assign(run=slug), [facts | {"run": slug}]


def finish_foreign(
    slug: str, name: str, metrics: dict[str, dict[str, float]], facts: list[dict[str, Any]]
) -> RunRecord:
    """Return the record of predictions of another program."""
    (fact,) = facts
    scores = {key.rpartition(".")[0]: values for key, values in metrics.items()}
    return RunRecord(slug=slug, state="done", settings={}, row=name, selection=str(fact["selection"]), scores=scores)
