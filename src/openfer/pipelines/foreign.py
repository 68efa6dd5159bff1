"""The pipeline `evaluation` with ``predictions=...``: those of any other program, scored by the same nodes."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline, node
from pydantic import ConfigDict, Field, RootModel

from openfer.parameters import FILE
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.template import scored_pipeline

NAME = "foreign"


class PredictionsFile(RootModel[Path]):
    """A Parquet or CSV file of predictions. Its content decides what is made of it, the place does not."""

    model_config = ConfigDict(frozen=True)
    root: Path = Field(json_schema_extra=FILE)


def foreign_pipeline(dataset: str) -> Pipeline:
    """Return the pipeline from a file of predictions to results, groups and figures.

    Args:
        dataset: whose test side was predicted.
    """
    read = node(
        read_foreign,
        ["params:predictions", "params:predictions_name", f"{dataset}_rows@table", f"{dataset}_split"],
        [f"{NAME}_predictions", f"{NAME}_facts"],
        name="read",
        namespace=NAME,
    )
    return data_pipeline([dataset]) + Pipeline([read]) + scored_pipeline(NAME, (dataset,))


def read_foreign(
    predictions: PredictionsFile, predictions_name: str, rows: pd.DataFrame, split: pd.DataFrame
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return predictions and what is known of the run, as a method's own node does."""
    from openfer.evaluation.foreign import foreign_predictions, read_predictions

    table, facts = foreign_predictions(
        read_predictions(predictions.root), rows, split, predictions_name, predictions.root
    )
    return table, [facts]
