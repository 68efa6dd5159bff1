"""What a method with several branches has beside the template: how alike they become, and where each looks."""

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines import branch_nodes
from openfer.pipelines.template import method_pipeline, tables_of


def branch_pipeline(name: str) -> Pipeline:
    """Return a method's pipeline with the pictures of its branches.

    Args:
        name: the registered method; it has ``similarities``, and a map of each branch in its predictions.
    """
    code = f"openfer.methods.{name}"
    trained = [f"params:{name}", f"{name}_models", *tables_of(name)]
    return method_pipeline(name) + Pipeline(
        [
            node(runs(branch_nodes.similarity, code), trained, f"{name}.similarity", name="similarity", namespace=name),
            node(
                branch_nodes.similarity_figure,
                f"{name}_history",
                f"{name}.similarity_picture",
                name="similarity_figure",
                namespace=name,
            ),
            node(
                runs(branch_nodes.attention_figure, code),
                trained,
                f"{name}.attention_picture",
                name="attention",
                namespace=name,
            ),
        ]
    )
