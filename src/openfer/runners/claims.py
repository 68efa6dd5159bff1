"""Claims keep the outputs of one command apart from those of another command in the same checkout."""

import re
from pathlib import Path

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.io.locks import Locks
from openfer.runners.work import Work, local_path
from openfer.runs.tags import CHECKS

_LAYER = re.compile(r"\d\d_")
"""How the folder of a layer of data begins."""


class Claims:
    """What a pipeline makes and uses in the checkout, kept apart from other commands by the namespaces of its nodes.

    A namespace is a dataset or a run. While a command makes it others wait, and then find it up to date. Until the last
    node that reads it no other command may make it again.

    Args:
        pipeline: that is run.
        catalog: with its outputs.
    """

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        nodes = pipeline.nodes
        self._locks = Locks(_locks_folder(pipeline, catalog))
        makers = {output: claim_of(node) for node in nodes for output in node.outputs}
        self._last_made = {claim_of(node): node.name for node in nodes}
        self._last_used = {
            claim: node.name for node in nodes for claim in (claim_of(node), *map(makers.get, node.inputs)) if claim
        }

    def take(self, node: Node, catalog: CatalogProtocol) -> "Work | None":
        """Return a node's work, alone with it; None if it is done."""
        claim = claim_of(node)
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
        """Let other commands use what is made, and make again what no later node reads."""
        claim = claim_of(node)
        if self._last_made[claim] == node.name and claim in self._locks.making:
            self._locks.use(claim)
        if CHECKS in node.tags:
            self._locks.release(claim)  # the run trains later; another command may train it first
        for claim in [claim for claim, name in self._last_used.items() if name == node.name]:
            self._locks.release(claim)

    def close(self) -> None:
        """Leave all."""
        self._locks.close()


def claim_of(node: Node) -> str:
    """Return the namespace of a node, a dataset's or a run's; the name of a node without one."""
    return str(node.namespace or node.name)


def _locks_folder(pipeline: Pipeline, catalog: CatalogProtocol) -> Path | None:
    """Return the folder of locks beside the layers; None for a pipeline without files."""
    for output in sorted(pipeline.all_outputs()):
        path = local_path(catalog, output)
        layers = [] if path is None else [parent for parent in path.parents if _LAYER.match(parent.name)]
        if layers:
            return layers[-1].parent / ".locks"
    return None
