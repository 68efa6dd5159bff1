"""The pipeline `synthesize`: scenes -> rows, faces -> split, for each embedded set."""

from collections.abc import Iterable
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.synthesize import nodes

SETS = ("synthetic_pie", "synthetic_raf", "synthetic_fer")
_FOR_EXPRESSION = {"synthetic_fer"}


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of all three sets."""
    return synthesize_pipeline(SETS)


def synthesize_pipeline(datasets: Iterable[str]) -> Pipeline:
    """Return the pipeline of those datasets that are embedded sets; others come from elsewhere."""
    return sum((_one_set(name) for name in datasets if name in SETS), Pipeline([]))


def _one_set(name: str) -> Pipeline:
    if name in _FOR_EXPRESSION:
        split, check_leakage = nodes.split_expression, nodes.check_expression_leakage
    else:
        split, check_leakage = nodes.split_factors, nodes.check_factor_leakage
    return Pipeline(
        [
            node(_named(nodes.plan_scenes, name), "params:synthetic", f"{name}.scenes", name="plan", namespace=name),
            node(_named(nodes.publish_rows, name), f"{name}.scenes", f"{name}_rows", name="rows", namespace=name),
            node(
                nodes.render,
                [f"{name}.scenes", "params:synthetic", f"{name}.work"],
                f"{name}_faces",
                name="render",
                namespace=name,
            ),
            node(split, [f"{name}_rows", "params:protocol"], f"{name}_split", name="split", namespace=name),
            node(
                check_leakage,
                [f"{name}_rows", f"{name}_split", f"{name}_faces"],
                f"{name}.leakage",
                name="leakage",
                namespace=name,
            ),
            node(
                nodes.contact_sheet, [f"{name}_faces", f"{name}.scenes"], f"{name}.sheet", name="sheet", namespace=name
            ),
        ]
    )


def _named(function: Any, name: str) -> Any:
    bound = partial(function, name)
    return update_wrapper(bound, function)
