"""The pipeline `doctor`: raw folder -> rows, decoded images -> findings -> verdict and page."""

from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.code_version import runs
from openfer.pipelines.bound import bound
from openfer.pipelines.doctor import nodes
from openfer.pipelines.ingest.pipeline import read_pipeline
from openfer.pipelines.planned import current_plan
from openfer.pipelines.space import Space
from openfer.pipelines.synthesize import synthesize_pipeline
from openfer.runs.tags import VERDICT


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the dataset named by the parameter ``dataset``."""
    plan = current_plan()
    reader = plan.datasets.reader(plan.dataset)
    return _embedded(plan.dataset) if reader is None else _read(plan.dataset, reader)


def _read(name: str, reader: str) -> Pipeline:
    from openfer.datasets.registry import READERS

    kind = READERS[reader]
    code = f"openfer.datasets.readers.{reader}"
    root, options, files = f"params:{name}.root", f"params:{name}.options", f"{name}.inventory@table"
    space, rows = Space(name), f"{name}_rows@table"
    probed, findings, page = space.own("probed"), space.own("findings"), space.own("doctor_page")
    examine = runs(bound(nodes.examine, reader, options=kind.options_class), code)
    write = runs(bound(nodes.page, name, reader, options=kind.options_class), code)
    return read_pipeline(name, reader) + Pipeline(
        [
            space(nodes.probe, [root, rows, files, "params:doctor"], probed, "probe"),
            space(examine, [options, rows, files, probed], findings, "examine"),
            _verdict(space, kind.about.title),
            space(write, [root, options, "params:doctor", rows, files, findings], page, "doctor_page"),
        ]
    )


def _embedded(name: str) -> Pipeline:
    from openfer.doctor.embedded import about_embedded

    space, tables = Space(name), [f"{name}_rows@table", f"{name}_faces"]
    findings, page = space.own("findings"), space.own("doctor_page")
    examine, write = bound(nodes.examine_embedded, name), bound(nodes.page_of_embedded, name)
    return synthesize_pipeline([name]) + Pipeline(
        [
            space(examine, ["params:synthetic", *tables], findings, "examine"),
            _verdict(space, about_embedded(name).title),
            space(write, ["params:synthetic", "params:doctor", *tables, findings], page, "doctor_page"),
        ]
    )


def _verdict(space: Space, title: str) -> Node:
    say = bound(nodes.say, space.name, title)
    return space(say, space.own("findings"), space.own("verdict"), "verdict", VERDICT)
