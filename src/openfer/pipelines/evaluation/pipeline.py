"""The pipeline `evaluation`: predictions of several methods -> one comparison."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines import evaluation_nodes
from openfer.pipelines.in_use import compared_methods


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `evaluation` of the methods named by ``compared``, which must have been trained."""
    compared = compared_methods()
    tables = [f"{name}_{part}" for name in compared for part in ("predictions", "facts")]
    return Pipeline(
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
