"""The pipeline `synthesize`: scenes -> rows, faces -> split, for each embedded set."""

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines.bound import bound
from openfer.pipelines.space import Space
from openfer.pipelines.synthesize import nodes
from openfer.runs.datasets import EMBEDDED

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
    space = Space(name)
    rows, faces, scenes = f"{name}_rows@table", f"{name}_faces", space.own("scenes")
    points = f"{name}_known_landmarks"
    return Pipeline(
        [
            space(bound(nodes.plan_scenes, name), "params:synthetic", scenes, "plan"),
            space(bound(nodes.publish_rows, name), scenes, rows, "rows"),
            space(nodes.render, [scenes, "params:synthetic", space.own("work")], faces, "render"),
            space(split, [rows, "params:protocol"], f"{name}_split", "split"),
            space(check_leakage, [rows, f"{name}_split", faces], space.own("leakage"), "leakage"),
            space(nodes.landmarks, faces, points, "landmarks"),
            space(bound(nodes.truths, name), scenes, f"{name}_truths", "truths"),
            space(nodes.groups, [scenes, points], f"{name}_groups", "groups"),
            space(sheet, [faces, scenes], space.own("faces_image"), "sheet"),
        ]
    )
