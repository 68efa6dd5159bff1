"""Failures isolate a run that fails: what needs it is left out, and all other runs go on."""

import logging

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.code_version import GATHERS
from openfer.errors import OpenferError, RunError
from openfer.io.error_log import keep_traceback
from openfer.runs.tags import CHECKS, REQUESTED, slug_of

log = logging.getLogger(__name__)

_RECORD = "_run"
"""How the names of runs' records end in the catalog."""


class Failures:
    """The runs of a pipeline that failed, and the nodes that cannot run for it.

    Args:
        pipeline: that is run.
        catalog: where the record of a failed run is kept.
    """

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._pipeline, self._catalog = pipeline, catalog
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
        if not self._several or (CHECKS in node.tags and slug_of(node.tags) is None):
            self._block(node, in_words(error))
            return False
        own = isinstance(error, OpenferError) or isinstance(error.__cause__, OpenferError)
        log.error("failed      %s: %s%s", node.name, in_words(error), "" if own else f". {keep_traceback(error)}")
        self._errors[slug_of(node.tags) or node.name] = error
        self._block(node, in_words(error))
        return True

    def spare_prerequisites(self) -> None:
        """Leave out the runs that only failed runs need."""
        requested = [node for node in self._pipeline.nodes if REQUESTED in node.tags]
        if not self._blocked or not requested:
            return
        wanted = [node.name for node in requested if slug_of(node.tags) not in self._blocked]
        needed = self._pipeline.to_nodes(*wanted).nodes if wanted else []
        kept = {slug_of(node.tags) for node in needed} | set(self._blocked) | {None}
        for slug in {slug_of(node.tags) for node in self._pipeline.nodes} - kept:
            self._blocked[str(slug)] = "it was left out, as all that needs it failed"

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


def cause_of(error: BaseException) -> BaseException:
    """Return the project's own error behind one of Kedro's, or the error itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OpenferError):
            return cause
        cause = cause.__cause__
    return error


def in_words(error: BaseException) -> str:
    """Return an error in a line; the project's own error behind one of Kedro's."""
    own = cause_of(error)
    return f"{type(own).__name__}: {' '.join(str(own).split())}"
