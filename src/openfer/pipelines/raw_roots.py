"""Raw folders that do not exist: the doctor refuses them, other pipelines say that results are of an earlier copy."""

import logging
from collections.abc import Iterator

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from openfer.errors import DataError
from openfer.parameters import RawFolder
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


def _missing(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[tuple[str, RawFolder]]:
    for parameter in sorted(pipeline.inputs()):
        if parameter.startswith(_PARAMETER) and parameter.endswith(_ROOT):
            root = catalog.load(parameter)
            if isinstance(root, RawFolder) and not root.root.exists():
                yield parameter.removeprefix(_PARAMETER).removesuffix(_ROOT), root
