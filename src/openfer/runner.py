"""The runner of every `kedro run`: it does only what is not done yet.

Each output carries a record of what made it: decisive parameters, content of the inputs, code.
A node whose outputs all carry the record it would write now is skipped; a node that was killed
finds its work folder as it left it. Resuming and skipping are therefore one mechanism.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner
from kedro.runner.task import Task

from openfer.code_version import RESUMES, TRAINS, WATCHED, code_version
from openfer.io.datasets import StoreFolderDataset, WorkFolderDataset
from openfer.io.memory import give_back_memory
from openfer.io.provenance import (
    content_hash,
    decisive,
    fingerprint_of,
    forget,
    listing_stamp,
    read_record,
    write_record,
)
from openfer.io.runs import RunsDataset
from openfer.io.studies import StudiesDataset

if TYPE_CHECKING:
    from pluggy import PluginManager

log = logging.getLogger(__name__)


class IdempotentRunner(SequentialRunner):
    """Runs nodes in order and skips those whose outputs are already what they would make."""

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: "PluginManager | None" = None,
        run_id: str | None = None,
    ) -> None:
        skipped = 0
        for node in pipeline.nodes:
            work = _Work(node, catalog)
            if work.is_done():
                skipped += 1
                log.info("up to date  %s", node.name)
                continue
            log.info("running     %s", node.name)
            work.begin()
            Task(node, catalog, self._is_async, hook_manager=hook_manager, run_id=run_id).execute()
            work.finish()
            give_back_memory()
        log.info("%d of %d nodes were up to date, %d ran", skipped, len(pipeline.nodes), len(pipeline.nodes) - skipped)


class _Work:
    """One node with the ingredients of its fingerprint."""

    def __init__(self, node: Node, catalog: CatalogProtocol) -> None:
        self._folders = [d for d in map(catalog.get, node.inputs) if isinstance(d, WorkFolderDataset)]
        values = {name: catalog.load(name) for name in node.inputs if _is_parameter(name)}
        self._afresh = any(getattr(value, "fresh", False) for value in values.values())
        trains = getattr(node.func, TRAINS, False)
        self._parameters: dict[str, Any] = {n: decisive(value, of_training=trains) for n, value in values.items()}
        contents = {name: _content(catalog, name) for name in node.inputs if not _is_parameter(name)}
        self._inputs = {name: content for name, content in contents.items() if content is not None}
        watched = {name: Path(values[name].root) for name in getattr(node.func, WATCHED, ())}
        self._inputs |= {f"files of {name}": listing_stamp(root) for name, root in watched.items()}
        self._source_is_gone = any(not root.exists() for root in watched.values())
        self._code = code_version(node.func)
        self._outputs = [_path(catalog, name) for name in node.outputs]
        self._afresh |= getattr(node.func, RESUMES, False)

    @property
    def _fingerprint(self) -> str:
        return fingerprint_of(self._parameters, self._inputs, self._code)

    def is_done(self) -> bool:
        if self._afresh or not self._outputs:
            return False
        return all(output is not None and self._made(output) for output in self._outputs)

    def _made(self, output: Path) -> bool:
        record = read_record(output)
        if record is None or (record.fingerprint != self._fingerprint and not self._source_is_gone):
            return False
        if record.fingerprint != self._fingerprint:
            log.info("the raw folder is not here; taking what was made of it: %s", output)
        content_hash(output)  # raises if the file was changed: that is an error, not a result
        return True

    def begin(self) -> None:
        for folder in self._folders:
            folder.begin(self._fingerprint, afresh=self._afresh)
        for output in self._outputs:
            if output is not None:
                forget(output)

    def finish(self) -> None:
        for output in self._outputs:
            if output is not None and output.exists():
                write_record(output, self._parameters, self._inputs, self._code)
        for folder in self._folders:
            folder.clear()


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _content(catalog: CatalogProtocol, name: str) -> str | None:
    """Return the hash of what a dataset holds; None where it has no files yet, or none on this machine."""
    dataset = catalog.get(name)
    if isinstance(dataset, RunsDataset | StudiesDataset):
        return dataset.content()
    path = _path(catalog, name)
    return content_hash(path) if path is not None and path.exists() else None


def _path(catalog: CatalogProtocol, name: str) -> Path | None:
    """Return the local file or folder of a dataset; None for one that lives in memory or elsewhere."""
    dataset = catalog.get(name)
    if isinstance(dataset, WorkFolderDataset | StoreFolderDataset) or getattr(dataset, "_protocol", "file") != "file":
        return None
    place = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    return None if place is None else Path(place)
