"""Kedro hooks: parameters that nobody reads are errors, and results are shown where they were asked for."""

import difflib
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from openfer.errors import ParameterError
from openfer.pipelines.in_use import choose_datasets, top_level_parameters


class ParametersHook:
    """Checks the names that Kedro's typed parameters cannot see, and tells pipelines their datasets."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse unknown top-level parameters; choose the datasets that pipelines are built for.

        Raises:
            ParameterError: if a top-level key belongs to no pipeline; the nearest names are given.
        """
        parameters: dict[str, Any] = context.config_loader["parameters"]
        known = top_level_parameters()
        for name in parameters:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise ParameterError(
                    f"parameter {name!r} belongs to no pipeline; {hint}The top-level parameters are {', '.join(known)}"
                )
        choose_datasets(parameters)


class ResultsHook:
    """Shows the results of the pipelines that were asked for."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Print the summary, or each method's results where there is none, also when all was up to date."""
        from openfer.pipelines.show import show_results

        ends = pipeline.outputs()
        if "summary.results" in ends:
            show_results(catalog.load("summary.results"), catalog.load("summary.sentences"))
            return
        for name in sorted(name for name in ends if name.endswith(".results")):
            show_results(catalog.load(name))
