"""Which datasets each pipeline is built for.

Kedro builds pipelines before it reads parameters, so a hook hands the choice over here first; the
same names then appear in the catalog, in `kedro viz` and in the lineage.
"""

from collections.abc import Mapping
from typing import Any

from openfer.errors import ParameterError
from openfer.methods.names import method_names

_SHARED = ("synthetic", "protocol")
_DEFAULTS = {"dfem": ("synthetic_pie", "synthetic_raf")}
_chosen: dict[str, tuple[str, ...]] = {}


def top_level_parameters() -> tuple[str, ...]:
    """Return the top-level keys that parameter files may hold: shared ones and one per method."""
    return (*_SHARED, *method_names())


def choose_datasets(parameters: Mapping[str, Any]) -> None:
    """Take the choice of datasets from raw parameters, such as ``addl.datasets``.

    Raises:
        ParameterError: if a choice is not a list of names.
    """
    _chosen.clear()
    for name in method_names():
        datasets = (parameters.get(name) or {}).get("datasets")
        if datasets is None:
            continue
        if isinstance(datasets, str) or not datasets or not all(isinstance(d, str) for d in datasets):
            raise ParameterError(
                f"{name}.datasets is {datasets!r}; give a list of dataset names, such as [synthetic_fer]"
            )
        _chosen[name] = tuple(datasets)


def datasets_of(method: str) -> tuple[str, ...]:
    """Return the datasets that a method's pipeline trains on."""
    return _chosen.get(method, _DEFAULTS.get(method, ("synthetic_fer",)))
