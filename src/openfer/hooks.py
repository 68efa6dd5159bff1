"""Kedro hooks: unknown parameters are errors, pipelines get their plan, and results are printed at the end."""

import logging
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.io import copies
from openfer.io.face_shard import forget_maps
from openfer.io.memory import LARGE_TABLES, give_back_large_blocks, give_back_memory
from openfer.io.old_layout import warn_of_old_results
from openfer.nn.weight_manifest import with_weights
from openfer.pipelines import raw_roots
from openfer.pipelines.planned import current_plan, hand_over
from openfer.runners import command
from openfer.runs.datasets import placed
from openfer.runs.project import plan
from openfer.runs.tags import PREREQUISITE, REQUESTED, STUDY, slug_of
from openfer.runs.unfit import refuse_unfit, refuse_unlisted_columns

log = logging.getLogger(__name__)


class PlanHook:
    """Makes the plan of all runs from the parameters, before Kedro builds pipelines."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters, hand the plan of the runs over to the pipelines, and update a copy of a bucket.

        Raises:
            ParameterError: if a name is unknown or a value is not valid; the nearest names are given.
            StorageError: if results are in a bucket that cannot be read.
        """
        loader = context.config_loader
        parameters = placed(loader["parameters"], context.project_path)
        planned = plan(with_weights(parameters, loader["weights"]))
        loader["parameters"] = dict(planned.parameters)
        hand_over(planned)
        root = context.project_path / str(loader["globals"]["data_root"])
        copies.update(root)
        warn_of_old_results(root)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Hand the command over to the runner and say which runs are there already.

        Missing raw folders and unfit runs are refused before any node runs.

        Raises:
            DataError: if the doctor is to examine a raw folder that does not exist.
            CheckpointError: if a weights file is missing.
            ParameterError: if a run's dataset is unknown, or its parameters show that it cannot give what is asked for.
        """
        command.hand_over(command.Command.from_kedro(run_params))
        raw_roots.refuse_missing(pipeline, catalog)
        raw_roots.warn_of_missing(pipeline, catalog)
        _tell_of_earlier_runs(pipeline, catalog)
        slugs, planned = {slug_of(node.tags) for node in pipeline.nodes}, current_plan()
        runs = [run for slug, run in planned.runs.items() if slug in slugs]
        raw_roots.refuse_unknown(runs, planned.datasets, catalog)
        for run in runs:
            refuse_unfit(run, planned.datasets)
        if planned.study is not None and any(STUDY in node.tags for node in pipeline.nodes):
            refuse_unlisted_columns(planned.study, planned.datasets)
        for run in runs:
            run.settings.initialisation.refuse_missing_file()


class MemoryHook:
    """Returns the memory of a node before its outputs are saved, which takes memory too."""

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """In nodes of large tables, return each large block at once."""
        give_back_large_blocks(at_once=LARGE_TABLES in node.tags)

    @hook_impl
    def after_node_run(self) -> None:
        """Give free memory and the pages of faces that the node has read back to the system."""
        forget_maps()
        give_back_memory()


class ResultsHook:
    """Prints what was asked for, also when all was up to date or a part of it failed."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Print the results."""
        from openfer.pipelines.show import show

        show(pipeline, catalog)
        raw_roots.warn_of_missing(pipeline, catalog)  # again, below the results that it is about

    @hook_impl
    def on_pipeline_error(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Print the results of the other runs of a study, or of several requested runs."""
        from openfer.pipelines.show import show, show_runs_of

        if any(STUDY in node.tags for node in pipeline.nodes):
            show(pipeline, catalog)
        elif sum(REQUESTED in node.tags for node in pipeline.nodes) > 1:
            show_runs_of(pipeline, catalog)  # a comparison of them may be older than they are


def _tell_of_earlier_runs(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    ends = [node for node in pipeline.nodes if {REQUESTED, PREREQUISITE} & node.tags]
    runs = [(slug_of(node.tags), name) for node in ends for name in node.outputs if catalog.exists(name)]
    found = [str(slug) for slug, name in runs if catalog.load(name).is_done]
    if found:
        log.info("%d of %d runs are there already: %s", len(found), len(ends), ", ".join(found))
