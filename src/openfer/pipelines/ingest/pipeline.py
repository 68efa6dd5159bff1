"""The pipeline `ingest`: raw folder -> rows -> faces and quarantine -> split, for the dataset asked for."""

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline

from openfer.code_version import runs, watches
from openfer.io.memory import LARGE_TABLES
from openfer.pipelines.bound import bound
from openfer.pipelines.ingest import nodes
from openfer.pipelines.planned import current_plan
from openfer.pipelines.space import Space
from openfer.pipelines.synthesize import synthesize_pipeline
from openfer.runs.datasets import EMBEDDED, Datasets
from openfer.runs.tags import INGESTED


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the dataset named by the parameter ``dataset``."""
    plan = current_plan()
    return data_pipeline([plan.dataset], plan.datasets)


def data_pipeline(names: Iterable[str], datasets: Datasets) -> Pipeline:
    """Return the pipeline that makes rows, faces and splits of datasets.

    Embedded sets are rendered and sets with a reader are ingested. Tables of any other set come from elsewhere; only
    its groups are made here.

    Args:
        names: of the datasets.
        datasets: the project's.
    """
    names = tuple(names)
    others = (
        _ingest(name, reader) if (reader := datasets.reader(name)) else _brought(name)
        for name in names
        if name not in EMBEDDED
    )
    return sum(others, synthesize_pipeline(name for name in names if name in EMBEDDED))


def read_pipeline(name: str, reader: str) -> Pipeline:
    """Return the part from the raw folder to the rows."""
    from openfer.datasets.registry import READERS

    read = bound(nodes.read_rows, name, reader, options=READERS[reader].options_class)
    root, space, files = f"params:{name}.root", Space(name, LARGE_TABLES), f"{name}.inventory@file"
    code = f"openfer.datasets.readers.{reader}"
    return Pipeline(
        [
            space(watches(nodes.inventory, root), root, files, "inventory"),
            space(runs(read, code), [root, f"params:{name}.options", files], f"{name}_rows@file", "read"),
        ]
    )


def _ingest(name: str, reader: str) -> Pipeline:
    root, faces_config, protocol = (f"params:{name}.{part}" for part in ("root", "faces", "protocol"))
    space = Space(name, LARGE_TABLES)
    rows, faces, split = f"{name}_rows@file", f"{name}_faces", f"{name}_split"
    where, pairs, single = space.own("sources"), space.own("duplicates"), space.own("split_deduplicated")
    aligned = [faces, f"{name}_quarantine"]
    return read_pipeline(name, reader) + Pipeline(
        [
            space(nodes.sources, [rows, f"{name}.inventory@file", protocol], where, "sources"),
            space(bound(nodes.align, name), [root, faces_config, where, space.own("work")], aligned, "align"),
            space(nodes.split, [rows, faces, protocol], split, "split"),
            space(nodes.duplicates, [faces, protocol], pairs, "duplicates"),
            space(nodes.leakage, [rows, split, faces, pairs, protocol], space.own("leakage"), "leakage"),
            space(nodes.deduplicate, [split, pairs, protocol], single, "deduplicate"),
            space(nodes.groups, [rows, split, single], f"{name}_groups", "groups"),
            space(nodes.counts, [rows, split], space.own("counts"), "counts", INGESTED),
            space(nodes.sheet, [rows, faces], space.own("faces_image"), "sheet"),
        ]
    )


def _brought(name: str) -> Pipeline:
    return Pipeline([Space(name)(nodes.listed, f"{name}_rows@table", f"{name}_groups", "groups")])
