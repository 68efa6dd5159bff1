"""The pipeline `doctor`: raw folder -> rows, decoded images -> findings -> verdict and page."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines.bound import bound
from openfer.pipelines.doctor import nodes
from openfer.pipelines.in_use import asked_dataset, reader_of
from openfer.pipelines.ingest.pipeline import read_pipeline
from openfer.pipelines.synthesize import synthesize_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the dataset named by the parameter ``dataset``."""
    name = asked_dataset()
    reader = reader_of(name)
    return _embedded(name) if reader is None else _read(name, reader)


def _read(name: str, reader: str) -> Pipeline:
    from openfer.datasets.registry import READERS

    kind = READERS[reader]
    code = f"openfer.datasets.readers.{reader}"
    root, options, files = f"params:{name}.root", f"params:{name}.options", f"{name}.inventory@table"
    return read_pipeline(name, reader) + Pipeline(
        [
            node(
                nodes.probe,
                [root, f"{name}_rows@table", files, "params:doctor"],
                f"{name}.probed",
                name="probe",
                namespace=name,
            ),
            node(
                runs(bound(nodes.examine, reader, options=kind.options_class), code),
                [options, f"{name}_rows@table", files, f"{name}.probed"],
                f"{name}.findings",
                name="examine",
                namespace=name,
            ),
            _verdict(name, kind.about.title),
            node(
                runs(bound(nodes.page, name, reader, options=kind.options_class), code),
                [root, options, "params:doctor", f"{name}_rows@table", files, f"{name}.findings"],
                f"{name}.doctor_page",
                name="doctor_page",
                namespace=name,
            ),
        ]
    )


def _embedded(name: str) -> Pipeline:
    from openfer.doctor.embedded import about_embedded

    tables = [f"{name}_rows@table", f"{name}_faces"]
    return synthesize_pipeline([name]) + Pipeline(
        [
            node(
                bound(nodes.examine_embedded, name),
                ["params:synthetic", *tables],
                f"{name}.findings",
                name="examine",
                namespace=name,
            ),
            _verdict(name, about_embedded(name).title),
            node(
                bound(nodes.page_of_embedded, name),
                ["params:synthetic", "params:doctor", *tables, f"{name}.findings"],
                f"{name}.doctor_page",
                name="doctor_page",
                namespace=name,
            ),
        ]
    )


def _verdict(name: str, title: str) -> Any:
    return node(bound(nodes.say, name, title), f"{name}.findings", f"{name}.verdict", name="verdict", namespace=name)
