"""The runner of every `kedro run`: it skips what is up to date, resumes what was interrupted, and isolates failures.

Each output carries a record of what made it: decisive parameters, content of the inputs, code.
A node whose outputs all carry the record that it would write now is skipped; an interrupted node finds its work
folder as it left it. Resuming and skipping are therefore one mechanism. A node of a run that fails stops that run and
whatever needs it; all other runs go on.
"""

import gc
import logging
from typing import TYPE_CHECKING

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from kedro.runner.task import Task

from openfer.io.memory import give_back_memory
from openfer.runners.claims import Claims
from openfer.runners.failures import Failures

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
