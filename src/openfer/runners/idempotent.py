"""The runner of every `kedro run`: it skips what is up to date, resumes what was interrupted, and isolates failures.

Each output carries a record of what made it: decisive parameters, content of the inputs, code.
A node whose outputs all carry the record that it would write now is skipped; an interrupted node finds its work
folder as it left it. Resuming and skipping are therefore one mechanism. A node of a run that fails stops that run and
whatever needs it; all other runs go on.
"""

import gc
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner
from kedro.runner.task import Task

from openfer.io import copies
from openfer.io.memory import give_back_memory
from openfer.runners.claims import Claims
from openfer.runners.failures import Failures
from openfer.runners.work import local_path
from openfer.runs.tags import CHECKS

if TYPE_CHECKING:
    from pluggy import PluginManager

log = logging.getLogger(__name__)


class IdempotentRunner(SequentialRunner):
    """Runs nodes in order and skips those whose outputs are up to date."""

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: "PluginManager | None" = None,
        run_id: str | None = None,
    ) -> None:
        def execute(node: Node) -> None:
            Task(node, catalog, self._is_async, hook_manager=hook_manager, run_id=run_id).execute()

        command = NodesOfACommand(pipeline, catalog, execute)
        self._run_all(command)
        command.end()

    def _run_all(self, command: "NodesOfACommand") -> None:
        command.run_checks()
        for node in command.pipeline.nodes:
            command.run(node)


class NodesOfACommand:
    """The nodes of one command: each is run, skipped, or left out because a prerequisite failed.

    Args:
        pipeline: pipeline of the command.
        catalog: catalog with its inputs and outputs.
        execute: function that runs a node, up to date or not.

    Attributes:
        pipeline: the same.
        catalog: the same.
        failures: the runs that failed, and what needs them.
    """

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol, execute: Callable[[Node], None]) -> None:
        self.pipeline, self.catalog = pipeline, catalog
        self.failures = Failures(pipeline, catalog)
        self._claims = Claims(pipeline, catalog)
        self._execute = execute
        self._skipped = self._ran = 0
        self._checked: set[str] = set()
        self._ends = pipeline.outputs()

    def run_checks(self) -> None:
        """Run the nodes that make and check data, so that nothing trains on data that are refused.

        Raises:
            Exception: of a node, if nothing else can go on after it.
        """
        checks = [node.name for node in self.pipeline.nodes if CHECKS in node.tags]
        for node in self.pipeline.to_nodes(*checks).nodes if checks else ():
            self.run(node)
            self._checked.add(node.name)
        self.failures.spare_prerequisites()

    def run(self, planned: Node) -> None:
        """Run a node if it is to be run.

        Raises:
            Exception: of the node, if nothing else can go on after it.
        """
        if planned.name in self._checked:
            return
        node = self.failures.without_lost_inputs(planned)
        if node is None:
            self._claims.leave(planned)
            return
        try:
            work = self._claims.take(node, self.catalog)
            if work is None:
                self._skipped += 1
                self._exchange(node)
                log.info("up to date  %s", node.name)
                return
            log.info("running     %s", node.name)
            work.begin()
            self._execute(node)
            work.finish()
            self._ran += 1
        except Exception as error:
            if not self.isolates(planned, error):
                raise
        finally:
            self._claims.leave(planned)
        give_back_memory()
        gc.freeze()  # what outlives a node is mostly imported code: a collection need not walk it for each node

    def _exchange(self, node: Node) -> None:
        """Share what an interrupted command has made and not shared, and fetch what the pipeline ends in."""
        for name in node.outputs:
            path = local_path(self.catalog, name)
            if path is not None:
                copies.share(path)
                if name in self._ends:
                    copies.fetch(path)

    def ran_elsewhere(self, nodes: Iterable[Node]) -> None:
        """Count nodes that another process has run, perhaps on another machine; the checks among them have run here."""
        nodes = list(nodes)
        for path in (local_path(self.catalog, name) for node in nodes[-1:] for name in node.outputs):
            if path is not None:
                copies.update(path)
        self._ran += sum(node.name not in self._checked for node in nodes)

    def isolates(self, node: Node, error: Exception) -> bool:
        """Record a failed node, and return whether any other node can still run."""
        goes_on = self.failures.isolate(node, error)
        if not goes_on:
            self._claims.close()
        return goes_on

    def end(self) -> None:
        """Say how many nodes ran, and raise what failed.

        Raises:
            Exception: the one error there was.
            RunError: if there were several.
        """
        log.info("%d of %d nodes were up to date, %d ran", self._skipped, len(self.pipeline.nodes), self._ran)
        self._claims.close()
        self.failures.raise_them()
