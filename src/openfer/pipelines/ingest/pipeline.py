"""The pipeline `ingest`: raw folder -> rows -> faces and quarantine -> split, for the dataset asked for."""

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs, watches
from openfer.io.memory import LARGE_TABLES
from openfer.pipelines.bound import bound
from openfer.pipelines.in_use import EMBEDDED, asked_dataset, reader_of
from openfer.pipelines.ingest import nodes
from openfer.pipelines.synthesize import synthesize_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the dataset named by the parameter ``dataset``."""
    return data_pipeline([asked_dataset()])


def data_pipeline(datasets: Iterable[str]) -> Pipeline:
    """Return the pipeline that makes rows, faces and splits of datasets.

    Embedded sets are rendered, sets with a reader are ingested; of others the three tables come from elsewhere, and
    only groups are made of them.
    """
    names = tuple(datasets)
    others = (
        _ingest(name, reader) if (reader := reader_of(name)) else _brought(name)
        for name in names
        if name not in EMBEDDED
    )
    return sum(others, synthesize_pipeline(name for name in names if name in EMBEDDED))


def read_pipeline(name: str, reader: str) -> Pipeline:
    """Return the part from the raw folder to the rows."""
    from openfer.datasets.registry import READERS

    read = bound(nodes.read_rows, name, reader, options=READERS[reader].options_class)
    root = f"params:{name}.root"
    return Pipeline(
        [
            node(watches(nodes.inventory, root), root, f"{name}.inventory@file", name="inventory", namespace=name),
            node(
                runs(read, f"openfer.datasets.readers.{reader}"),
                [root, f"params:{name}.options", f"{name}.inventory@file"],
                f"{name}_rows@file",
                name="read",
                namespace=name,
            ),
        ],
        tags=LARGE_TABLES,
    )


def _ingest(name: str, reader: str) -> Pipeline:
    faces, protocol = f"params:{name}.faces", f"params:{name}.protocol"
    return read_pipeline(name, reader) + Pipeline(
        [
            node(
                nodes.sources,
                [f"{name}_rows@file", f"{name}.inventory@file"],
                f"{name}.sources",
                name="sources",
                namespace=name,
            ),
            node(
                bound(nodes.align, name),
                [f"params:{name}.root", faces, f"{name}.sources", f"{name}.work"],
                [f"{name}_faces", f"{name}_quarantine"],
                name="align",
                namespace=name,
            ),
            node(
                nodes.split,
                [f"{name}_rows@file", f"{name}_faces", protocol],
                f"{name}_split",
                name="split",
                namespace=name,
            ),
            node(
                nodes.duplicates,
                [f"{name}_faces", protocol],
                f"{name}.duplicates",
                name="duplicates",
                namespace=name,
            ),
            node(
                nodes.leakage,
                [f"{name}_rows@file", f"{name}_split", f"{name}_faces", f"{name}.duplicates", protocol],
                f"{name}.leakage",
                name="leakage",
                namespace=name,
            ),
            node(
                nodes.deduplicate,
                [f"{name}_split", f"{name}.duplicates", protocol],
                f"{name}.split_deduplicated",
                name="deduplicate",
                namespace=name,
            ),
            node(
                nodes.groups,
                [f"{name}_rows@file", f"{name}_split", f"{name}.split_deduplicated"],
                f"{name}_groups",
                name="groups",
                namespace=name,
            ),
            node(nodes.counts, [f"{name}_rows@file", f"{name}_split"], f"{name}.counts", name="counts", namespace=name),
            node(nodes.sheet, [f"{name}_rows@file", f"{name}_faces"], f"{name}.sheet", name="sheet", namespace=name),
        ],
        tags=LARGE_TABLES,
    )


def _brought(name: str) -> Pipeline:
    return Pipeline([node(nodes.listed, f"{name}_rows@table", f"{name}_groups", name="groups", namespace=name)])
