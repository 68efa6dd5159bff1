"""The pipeline `evaluation`: predictions of several methods -> one comparison; or foreign ones -> their scores."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines import evaluation_nodes
from openfer.pipelines.foreign import foreign_pipeline
from openfer.pipelines.in_use import asked_dataset, compared_methods, datasets_elsewhere, is_foreign


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `evaluation` of the methods named by ``compared``, which must have been trained.

    With the parameter ``predictions``, a file of another program, it is that of these predictions of ``dataset``.
    """
    if is_foreign():
        return foreign_pipeline(asked_dataset())
    compared = compared_methods()
    tables = [f"{name}_{part}" for name in compared for part in ("predictions", "facts")]
    return _elsewhere(compared) + Pipeline(
        [
            node(
                evaluation_nodes.compare,
                tables,
                {
                    "results": "summary.results",
                    "comparison": "summary.comparison",
                    "sentences": "summary.sentences",
                    "report": "summary.report",
                    "recall_plot": "summary.recall_plot",
                },
                name="compare",
                namespace="summary",
            ),
            node(
                evaluation_nodes.all_curves,
                [f"{name}_history" for name in compared],
                "summary.curves_plot",
                name="curves",
                namespace="summary",
            ),
            node(
                evaluation_nodes.grad_cam_comparison,
                [f"{name}_grad_cam" for name in compared],
                "summary.grad_cam_picture",
                name="grad_cam",
                namespace="summary",
            ),
            node(
                evaluation_nodes.tsne,
                [f"{name}_{part}" for name in compared for part in ("features", "predictions", "facts")],
                "summary.tsne",
                name="tsne",
                namespace="summary",
            ),
            node(
                evaluation_nodes.tsne_figures,
                "summary.tsne",
                ["summary.tsne_plot", "summary.tsne_picture"],
                name="tsne_figures",
                namespace="summary",
            ),
        ]
    )


def _elsewhere(compared: tuple[str, ...]) -> Pipeline:
    """Return the matrix of those methods that are tested on other datasets; nothing if none is."""
    methods = [name for name in compared if datasets_elsewhere(name)]
    if not methods:
        return Pipeline([])
    tables = [f"{name}_{part}" for name in methods for part in ("predictions", "facts", "elsewhere")]
    matrix, picture = "summary.cross_dataset", "summary.cross_dataset_picture"
    figure = evaluation_nodes.cross_dataset_figure
    return Pipeline(
        [
            node(evaluation_nodes.cross_dataset, tables, matrix, name="cross_dataset", namespace="summary"),
            node(figure, matrix, picture, name="cross_dataset_figure", namespace="summary"),
        ]
    )
