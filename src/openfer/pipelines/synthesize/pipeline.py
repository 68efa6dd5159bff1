"""The pipeline `synthesize`: scenes -> rows, faces -> split, for each embedded set."""

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.bound import bound
from openfer.pipelines.in_use import EMBEDDED
from openfer.pipelines.synthesize import nodes

_FOR_EXPRESSION = {"synthetic_fer"}


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of all three sets."""
    return synthesize_pipeline(EMBEDDED)


def synthesize_pipeline(datasets: Iterable[str]) -> Pipeline:
    """Return the pipeline of embedded sets."""
    return sum((_one_set(name) for name in datasets), Pipeline([]))


def _one_set(name: str) -> Pipeline:
    if name in _FOR_EXPRESSION:
        split, check_leakage = nodes.split_expression, nodes.check_expression_leakage
    else:
        split, check_leakage = nodes.split_factors, nodes.check_factor_leakage
    return Pipeline(
        [
            node(bound(nodes.plan_scenes, name), "params:synthetic", f"{name}.scenes", name="plan", namespace=name),
            node(bound(nodes.publish_rows, name), f"{name}.scenes", f"{name}_rows@table", name="rows", namespace=name),
            node(
                nodes.render,
                [f"{name}.scenes", "params:synthetic", f"{name}.work"],
                f"{name}_faces",
                name="render",
                namespace=name,
            ),
            node(split, [f"{name}_rows@table", "params:protocol"], f"{name}_split", name="split", namespace=name),
            node(
                check_leakage,
                [f"{name}_rows@table", f"{name}_split", f"{name}_faces"],
                f"{name}.leakage",
                name="leakage",
                namespace=name,
            ),
            node(nodes.landmarks, f"{name}_faces", f"{name}_known_landmarks", name="landmarks", namespace=name),
            node(
                nodes.groups,
                [f"{name}.scenes", f"{name}_known_landmarks"],
                f"{name}_groups",
                name="groups",
                namespace=name,
            ),
            node(
                nodes.contact_sheet, [f"{name}_faces", f"{name}.scenes"], f"{name}.sheet", name="sheet", namespace=name
            ),
        ]
    )
