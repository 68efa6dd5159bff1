"""The pipeline `synthesize`: scenes -> rows, faces -> split, for each embedded set."""

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.bound import bound
from openfer.pipelines.in_use import EMBEDDED
from openfer.pipelines.synthesize import nodes

_FOR_FACTORS = (nodes.split_factors, nodes.check_factor_leakage, nodes.contact_sheet)
_BY_SET = {
    "synthetic_fer": (nodes.split_expression, nodes.check_expression_leakage, nodes.contact_sheet),
    "synthetic_sequences": (nodes.split_sequences, nodes.check_sequence_leakage, nodes.sequence_sheet),
}
"""How a set is split, what is looked for on two sides of the split, and what its contact sheet shows."""


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of all sets."""
    return synthesize_pipeline(EMBEDDED)


def synthesize_pipeline(datasets: Iterable[str]) -> Pipeline:
    """Return the pipeline of embedded sets."""
    return sum((_one_set(name) for name in datasets), Pipeline([]))


def _one_set(name: str) -> Pipeline:
    split, check_leakage, sheet = _BY_SET.get(name, _FOR_FACTORS)
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
            node(bound(nodes.truths, name), f"{name}.scenes", f"{name}_truths", name="truths", namespace=name),
            node(
                nodes.groups,
                [f"{name}.scenes", f"{name}_known_landmarks"],
                f"{name}_groups",
                name="groups",
                namespace=name,
            ),
            node(sheet, [f"{name}_faces", f"{name}.scenes"], f"{name}.sheet", name="sheet", namespace=name),
        ]
    )
