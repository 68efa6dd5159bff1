"""Datasets that are not there.

The doctor refuses raw folders that do not exist, other pipelines say that results are of an earlier copy. Names that
nothing describes are refused.
"""

import logging
from collections.abc import Iterable, Iterator

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from openfer.errors import DataError, ParameterError, did_you_mean
from openfer.parameters import RawFolder
from openfer.runs.datasets import Datasets
from openfer.runs.plan import RunPlan
from openfer.runs.tags import VERDICT

_log = logging.getLogger(__name__)
_PARAMETER, _ROOT = "params:", ".root"


def refuse_missing(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Refuse to examine a copy that is not there, even where an earlier verdict is.

    Args:
        pipeline: that is to run.
        catalog: with its parameters.

    Raises:
        DataError: if a dataset's root does not exist and the pipeline is to give a verdict on it.
    """
    examined = {node.namespace for node in pipeline.nodes if VERDICT in node.tags}
    for name, root in _missing(pipeline, catalog):
        if name in examined:
            raise DataError(
                f"{name}.root is {root.root}, which does not exist, so there is no copy to examine. Set {name}.root to "
                "the folder that holds your copy, or mount its disk"
            )


def warn_of_missing(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Warn of each root that does not exist where a pipeline uses what an earlier command made of it.

    Args:
        pipeline: that is to run, or has run.
        catalog: with its parameters and outputs.
    """
    for name, root in _missing(pipeline, catalog):
        if catalog.exists(f"{name}.inventory@file"):
            _log.warning(
                "WARNING: %s.root is %s, which does not exist. All results on %s are of the copy that was there "
                "before; set %s.root to the folder that holds your copy to read it again",
                *(name, root.root, name, name),
            )


def refuse_unknown(runs: Iterable[RunPlan], datasets: Datasets, catalog: CatalogProtocol) -> None:
    """Refuse datasets of runs that no block describes and whose tables nobody has put in their place.

    Args:
        runs: that are to be trained or tested.
        datasets: the project's.
        catalog: with the tables.

    Raises:
        ParameterError: if there is one; the nearest name is given.
    """
    for run in runs:
        for key, use in (("datasets", "learn from"), ("test_datasets", "be tested on")):
            for name in getattr(run.settings, key):
                if name not in datasets.names and not catalog.exists(f"{name}_split"):
                    raise ParameterError(
                        f"{run.method} is to {use} {name!r} ({key}), which is not described; "
                        f"{did_you_mean(name, datasets.names, 'the datasets are')} {', '.join(datasets.names)}; for "
                        "your own, write a block with `reader` and `root` into conf/local/parameters.yml"
                    )


def _missing(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[tuple[str, RawFolder]]:
    for parameter in sorted(pipeline.inputs()):
        if parameter.startswith(_PARAMETER) and parameter.endswith(_ROOT):
            root = catalog.load(parameter)
            if isinstance(root, RawFolder) and not root.root.exists():
                yield parameter.removeprefix(_PARAMETER).removesuffix(_ROOT), root
