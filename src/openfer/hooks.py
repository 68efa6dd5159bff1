"""Kedro hooks: parameters that nobody reads are errors, and results are shown where they were asked for."""

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.io.face_shard import forget_maps
from openfer.io.memory import LARGE_TABLES, give_back_large_blocks, give_back_memory
from openfer.nn.weight_manifest import with_weights
from openfer.pipelines.in_use import choose
from openfer.pipelines.method_run import MethodRun


class ParametersHook:
    """Checks the names that Kedro's typed parameters cannot see, and tells pipelines their datasets."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse unknown top-level parameters and weights; choose the datasets that pipelines are built for.

        Raises:
            ParameterError: if a name is unknown; the nearest ones are given.
        """
        loader = context.config_loader
        loader["parameters"] = with_weights(choose(loader["parameters"]), loader["weights"])

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Refuse a training whose weights file is missing before faces are rendered or aligned for it.

        Raises:
            CheckpointError: if it is not there.
        """
        for run in (catalog.load(node.inputs[0]) for node in pipeline.nodes if node.name.endswith(".train")):
            if isinstance(run, MethodRun):
                run.initialisation.refuse_missing_file()


class MemoryHook:
    """Gives back what a node has left behind before its outputs are saved, which takes memory too."""

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Give back each large block at once, too, in nodes of large tables."""
        give_back_large_blocks(at_once=LARGE_TABLES in node.tags)

    @hook_impl
    def after_node_run(self) -> None:
        """Return free memory to the system, and the pages of faces that the node has looked at."""
        forget_maps()
        give_back_memory()


class ResultsHook:
    """Shows the results of the pipelines that were asked for."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Print the summary, or each method's results where there is none, also when all was up to date."""
        from openfer.pipelines import show

        ends = pipeline.outputs()
        for name in (_stem(end, ".counts") for end in sorted(ends) if end.endswith(".counts")):
            show.show_ingested(
                name,
                len(catalog.load(f"{name}_rows@file")),
                *(catalog.load(f"{name}{part}") for part in ("_quarantine", ".counts", ".leakage")),
            )
        for name in (_stem(end, ".verdict") for end in sorted(ends) if end.endswith(".verdict")):
            page = str(catalog.get(f"{name}.doctor_page")._filepath)
            show.show_verdict(catalog.load(f"{name}.verdict"), catalog.load(f"{name}.findings"), page)
        for name in (_stem(end, ".study_picture") for end in sorted(ends) if end.endswith(".study_picture")):
            show.show_study(
                catalog.load("params:study_plan").study.title,
                catalog.load(f"{name}.study_table"),
                str(catalog.get(f"{name}.study_picture")._filepath),
            )
        if "report.page" in ends:
            show.show_report(str(catalog.get("report.page")._filepath), catalog.load("report.ledger"))
        if "summary.results" in ends:
            show.show_results(catalog.load("summary.results"), catalog.load("summary.sentences"))
            return
        for end in sorted(end for end in ends if end.endswith(".results")):
            show.show_results(catalog.load(end))


def _stem(name: str, end: str) -> str:
    return name.removesuffix(end)
