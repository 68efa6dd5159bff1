"""The runner of every `kedro run`: it skips what is up to date, resumes what was interrupted, and isolates failures.

Each output carries a record of what made it: decisive parameters, content of the inputs, code.
A node whose outputs all carry the record that it would write now is skipped; an interrupted node finds its work
folder as it left it. Resuming and skipping are therefore one mechanism. A node of a run that fails stops that run and
whatever needs it; all other runs go on.
"""

import gc
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner
from kedro.runner.task import Task

from openfer.code_version import GATHERS, WATCHED, code_modules
from openfer.errors import OpenferError, RunError
from openfer.io.datasets import WorkFolderDataset
from openfer.io.error_log import keep_traceback
from openfer.io.locks import Locks
from openfer.io.memory import give_back_memory
from openfer.io.provenance import (
    Ingredients,
    content_hash,
    decisive,
    forget,
    listing_stamp,
    read_record,
    write_record,
)
from openfer.runs.tags import slug_of

if TYPE_CHECKING:
    from pluggy import PluginManager

log = logging.getLogger(__name__)

_LAYER = re.compile(r"\d\d_")
"""How the folder of a layer of data begins."""

_RECORD = "_run"
"""How the names of runs' records end in the catalog."""


class IdempotentRunner(SequentialRunner):
    """Runs nodes in order and skips those whose outputs are already what they would make."""

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: "PluginManager | None" = None,
        run_id: str | None = None,
    ) -> None:
        skipped = ran = 0
        failures = Failures(pipeline, catalog)
        claims = Claims(pipeline, catalog)
        for planned in pipeline.nodes:
            node = failures.without_lost_inputs(planned)
            if node is None:
                claims.leave(planned)
                continue
            try:
                work = claims.take(node, catalog)
                if work is None:
                    skipped += 1
                    log.info("up to date  %s", node.name)
                    continue
                log.info("running     %s", node.name)
                work.begin()
                Task(node, catalog, self._is_async, hook_manager=hook_manager, run_id=run_id).execute()
                work.finish()
                ran += 1
            except Exception as error:
                if not failures.isolate(planned, error):
                    claims.close()
                    raise
            finally:
                claims.leave(planned)
            give_back_memory()
            gc.freeze()  # what outlives a node is mostly imported code: a collection need not walk it for each node
        log.info("%d of %d nodes were up to date, %d ran", skipped, len(pipeline.nodes), ran)
        claims.close()
        failures.raise_them()


class Claims:
    """What a pipeline makes and uses in the checkout, kept apart from other commands by the namespaces of its nodes.

    A namespace is a dataset or a run. While a command makes it others wait, and then find it up to date. Until the last
    node that reads it nobody may make it anew.

    Args:
        pipeline: that is run.
        catalog: with its outputs.
    """

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        nodes = pipeline.nodes
        self._locks = Locks(_locks_folder(pipeline, catalog))
        makers = {output: _claim(node) for node in nodes for output in node.outputs}
        self._last_made = {_claim(node): node.name for node in nodes}
        self._last_used = {
            claim: node.name for node in nodes for claim in (_claim(node), *map(makers.get, node.inputs)) if claim
        }

    def take(self, node: Node, catalog: CatalogProtocol) -> "Work | None":
        """Return a node's work, alone with it; None if it is done."""
        claim = _claim(node)
        if claim not in self._locks.making:
            self._locks.use(claim)
        work = Work(node, catalog)
        if work.is_done():
            return None
        if claim in self._locks.making:
            return work
        if not self._locks.make(claim, lambda: Work(node, catalog).is_done()):
            return None
        work = Work(node, catalog)  # of what is there now
        return None if work.is_done() else work

    def leave(self, node: Node) -> None:
        """Let others use what is made, and make anew what no later node reads."""
        claim = _claim(node)
        if self._last_made[claim] == node.name and claim in self._locks.making:
            self._locks.use(claim)
        for claim in [claim for claim, name in self._last_used.items() if name == node.name]:
            self._locks.release(claim)

    def close(self) -> None:
        """Leave all."""
        self._locks.close()


def _claim(node: Node) -> str:
    return str(node.namespace or node.name)


def _locks_folder(pipeline: Pipeline, catalog: CatalogProtocol) -> Path | None:
    """Return the folder of locks beside the layers; None for a pipeline without files."""
    for output in sorted(pipeline.all_outputs()):
        path = _path(catalog, output)
        layers = [] if path is None else [parent for parent in path.parents if _LAYER.match(parent.name)]
        if layers:
            return layers[-1].parent / ".locks"
    return None


class Failures:
    """The runs of a pipeline that failed, and the nodes that cannot run for it.

    Args:
        pipeline: that is run.
        catalog: where the record of a failed run is kept.
    """

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._catalog = catalog
        self._several = len({slug_of(node.tags) for node in pipeline.nodes} - {None}) > 1
        self._records = {slug_of(n.tags): name for n in pipeline.nodes for name in n.outputs if name.endswith(_RECORD)}
        self._errors: dict[str, Exception] = {}
        self._lost: dict[str, str] = {}
        self._blocked: dict[str, str] = {}

    def without_lost_inputs(self, node: Node) -> Node | None:
        """Return the node as it can run: without lost inputs if it gathers results of runs; None if it cannot run."""
        slug, gathers = slug_of(node.tags), getattr(node.func, GATHERS, False)
        lost = [name for name in node.inputs if name in self._lost and not (gathers and name.endswith(_RECORD))]
        if slug in self._blocked:
            self._lose(node, self._blocked[slug])
            return None
        if not lost:
            return node
        if gathers and isinstance(node._inputs, dict):
            return node._copy(inputs={key: name for key, name in node._inputs.items() if name not in lost})
        self._block(node, self._lost[lost[0]])
        return None

    def isolate(self, node: Node, error: Exception) -> bool:
        """Take note of a failed node; returns whether anything else can go on."""
        if not self._several:
            self._block(node, in_words(error))
            return False
        own = isinstance(error, OpenferError) or isinstance(error.__cause__, OpenferError)
        log.error("failed      %s: %s%s", node.name, in_words(error), "" if own else f". {keep_traceback(error)}")
        self._errors[slug_of(node.tags) or node.name] = error
        self._block(node, in_words(error))
        return True

    def raise_them(self) -> None:
        """Raise what failed, after all else has run.

        Raises:
            Exception: the one error there was.
            RunError: if there were several.
        """
        if len(self._errors) == 1:
            raise next(iter(self._errors.values()))
        if self._errors:
            told = "; ".join(f"{name}: {in_words(error)}" for name, error in self._errors.items())
            raise RunError(f"{len(self._errors)} runs failed and all others are done. {told}")

    def _block(self, node: Node, reason: str) -> None:
        slug = slug_of(node.tags)
        self._lose(node, f"{slug or node.name} failed: {reason}" if slug not in self._blocked else reason)
        if slug is None or slug in self._blocked:
            return
        self._blocked[slug] = f"{slug} failed: {reason}"
        record = self._records.get(slug)
        if record is not None:
            self._catalog.get(record).fail(reason)

    def _lose(self, node: Node, reason: str) -> None:
        self._lost |= dict.fromkeys(node.outputs, reason)


def in_words(error: BaseException) -> str:
    """Return an error in a line; the project's own error behind one of Kedro's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OpenferError):
            error = cause
            break
        cause = cause.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


class Work:
    """One node with the ingredients of its fingerprint.

    Args:
        node: to be run.
        catalog: with its inputs.
    """

    def __init__(self, node: Node, catalog: CatalogProtocol) -> None:
        self._folders = [d for d in map(catalog.get, node.inputs) if isinstance(d, WorkFolderDataset)]
        values = {name: catalog.load(name) for name in node.inputs if _is_parameter(name)}
        self._afresh = any(getattr(value, "fresh", False) for value in values.values())
        parameters: dict[str, Any] = {name: decisive(value) for name, value in values.items()}
        contents = {name: _content(catalog, name) for name in node.inputs if not _is_parameter(name)}
        inputs = {name: content for name, content in contents.items() if content is not None}
        watched = {name: Path(values[name].root) for name in getattr(node.func, WATCHED, ())}
        inputs |= {f"files of {name}": listing_stamp(root) for name, root in watched.items()}
        self._source_is_gone = any(not root.exists() for root in watched.values())
        self.ingredients = Ingredients(parameters, inputs, code_modules(node.func))
        self.outputs = {name: _path(catalog, name) for name in node.outputs}

    def is_done(self) -> bool:
        """Return whether all outputs are what the node would make."""
        if self._afresh or not self.outputs:
            return False
        return all(output is not None and self._made(output) for output in self.outputs.values())

    def _made(self, output: Path) -> bool:
        record = read_record(output)
        fingerprint = self.ingredients.fingerprint
        if record is None or (record.fingerprint != fingerprint and not self._source_is_gone):
            return False
        content_hash(output)  # raises if the file was changed: that is an error, not a result
        return True

    def begin(self) -> None:
        """Prepare work folders, and remove the records of outputs that are made again."""
        for folder in self._folders:
            folder.begin(self.ingredients.fingerprint, afresh=self._afresh)
        for output in self.outputs.values():
            if output is not None:
                forget(output)

    def finish(self) -> None:
        """Write the records of the outputs, and clear work folders."""
        for output in self.outputs.values():
            if output is not None and output.exists():
                write_record(output, self.ingredients)
        for folder in self._folders:
            folder.clear()


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _content(catalog: CatalogProtocol, name: str) -> str | None:
    """Return the hash of what a dataset holds; None where it has no files yet, or none on this machine."""
    dataset = catalog.get(name)
    if hasattr(dataset, "content"):
        content: str = dataset.content()
        return content
    path = _path(catalog, name)
    return content_hash(path) if path is not None and path.exists() else None


def _path(catalog: CatalogProtocol, name: str) -> Path | None:
    """Return the local file or folder of a dataset; None for one that lives in memory or elsewhere."""
    dataset = catalog.get(name)
    if isinstance(dataset, WorkFolderDataset) or getattr(dataset, "_protocol", "file") != "file":
        return None
    place = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    return None if place is None else Path(place)
