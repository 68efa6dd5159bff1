"""Which datasets there are, and which each pipeline is built for.

Kedro builds pipelines before it reads parameters, so a hook hands the choice over here first; the
same names then appear in the catalog, in `kedro viz` and in the lineage.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from openfer.datasets.registry import READERS
from openfer.errors import ParameterError, did_you_mean
from openfer.methods.declaration import METHODS
from openfer.nn.initialisation_settings import PRETRAIN
from openfer.pipelines.asked_study import choose_study
from openfer.pipelines.method_run import prerequisites_of
from openfer.pipelines.study_plan import is_study
from openfer.training.mask_settings import GENERATOR, MASKED

EMBEDDED = ("synthetic_pie", "synthetic_raf", "synthetic_fer", "synthetic_sequences")
"""The sets that are rendered and not read."""

_STABLE = ("synthetic_sequences",)
"""Those of them that are split by the stability protocol."""

_SHARED = (
    *("compared", "complexity", "dataset", "doctor", "landmarks", "predictions", "predictions_name", "study"),
    *("synthetic", "protocol"),
)
_COMPARED = ("baseline", "addl")
_DEFAULTS = {"dfem": ("synthetic_pie", "synthetic_raf"), PRETRAIN: ("synthetic_raf",)}
_BLOCK: dict[str, Any] = {"options": {}, "faces": {"align": "detect"}, "protocol": {"kind": "official"}}
"""What a dataset's parameters may leave out; ``reader`` and ``root`` are always said."""

_pretrained: set[str] = set()
_masked: set[str] = {MASKED}
_trained_on: dict[str, tuple[str, ...]] = {}
_tested_on: dict[str, tuple[str, ...]] = {}
_readers: dict[str, str] = {}
_stable: set[str] = {*_STABLE}
_asked: list[str] = ["synthetic_fer"]
_foreign: list[str] = []
_put_together: list[str] = [*_COMPARED]


def choose(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Take from raw parameters what pipelines are built by.

    That is ``dataset``, ``predictions``, ``compared``, ``addl.datasets``, ``addl.tested_on``,
    ``addl.initialisation.backbone``, ``addl.training.neighbourhood_mask``, who has a reader, whose ``protocol.kind`` is
    ``stability``, and ``study``.

    A key that begins with an underscore is a template that others refer to, and is left out.

    Args:
        parameters: as YAML files and the command line give them.

    Returns:
        The same, with what datasets' blocks have left out, the name of foreign predictions, and ``study_plan``, the
        runs of the study asked for.

    Raises:
        ParameterError: if a top-level key belongs to nothing, a dataset's block is not one, a choice of
            datasets or of methods is no list of names, the pretraining is to start from itself, or what draws
            neighbours is to be masked by them.
    """
    parameters = {name: value for name, value in parameters.items() if not name.startswith("_")}
    blocks = {name: _block(name, value) for name, value in parameters.items() if _describes_dataset(value)}
    studies = [name for name, value in parameters.items() if is_study(value)]
    known = (*_SHARED, *METHODS.names(), *blocks, *studies)
    for name in parameters:
        if name not in known:
            raise ParameterError(
                f"parameter {name!r} belongs to no pipeline; {did_you_mean(name, known)}The top-level parameters are "
                f"{', '.join(known)}; a dataset of your own needs a block with `reader` and `root`"
            )
    _readers.clear()
    _readers.update({name: block["reader"] for name, block in blocks.items()})
    _stable.clear()
    _stable.update(_STABLE, (name for name, block in blocks.items() if _is_stable(block)))
    _trained_on.clear()
    _tested_on.clear()
    _pretrained.clear()
    _masked.clear()
    for name in METHODS.names():
        first_weights = (parameters.get(name) or {}).get("initialisation")
        if isinstance(first_weights, Mapping) and first_weights.get("backbone") == PRETRAIN:
            _pretrained.add(name)
        training = (parameters.get(name) or {}).get("training", {"neighbourhood_mask": name == MASKED})
        if isinstance(training, Mapping) and training.get("neighbourhood_mask"):
            _masked.add(name)
        datasets = (parameters.get(name) or {}).get("datasets")
        if datasets is None:
            continue
        if isinstance(datasets, str) or not datasets or not all(isinstance(d, str) for d in datasets):
            raise ParameterError(
                f"{name}.datasets is {datasets!r}; give a list of dataset names, such as [synthetic_fer]"
            )
        _trained_on[name] = tuple(datasets)
    for name in METHODS.names():
        _tested_on[name] = _others(name, (parameters.get(name) or {}).get("tested_on", ()))
    if _masked & {GENERATOR, *prerequisites_of(GENERATOR)}:
        name = min(_masked & {GENERATOR, *prerequisites_of(GENERATOR)})
        raise ParameterError(
            f"{name}.training.neighbourhood_mask is set, but the neighbours that it asks for are made from {name} "
            f"itself; leave it null, and run {MASKED} for the two-scale network with a mask"
        )
    if PRETRAIN in _pretrained:
        raise ParameterError(
            f"{PRETRAIN}.initialisation.backbone is {PRETRAIN}: it cannot start from itself; set none, or a path"
        )
    compared = parameters.get("compared", _COMPARED)
    if isinstance(compared, str) or not 2 <= len(compared) == len(set(compared) & set(METHODS.names())):
        raise ParameterError(
            f"compared is {compared!r}; give a list of two or more methods, each once, the reference first, such as "
            f"[baseline, addl]. The methods are {', '.join(METHODS.names())}"
        )
    _put_together[:] = compared
    asked = parameters.get("dataset", "synthetic_fer")
    names = (*EMBEDDED, *blocks)
    if asked not in names:
        raise ParameterError(
            f"dataset is {asked!r}, which nobody describes; {did_you_mean(str(asked), names)}The datasets are "
            f"{', '.join(names)}; for your own, write a block with `reader` and `root` into conf/local/parameters.yml"
        )
    _asked[:] = [asked]
    return dict(parameters) | blocks | _foreign_name(parameters) | choose_study(parameters, studies, EMBEDDED)


def datasets_of(method: str) -> tuple[str, ...]:
    """Return the datasets that a method's pipeline trains on."""
    return _trained_on.get(method, _DEFAULTS.get(method, ("synthetic_fer",)))


def datasets_elsewhere(method: str) -> tuple[str, ...]:
    """Return the datasets that a method is only tested on."""
    return _tested_on.get(method, ())


def stability_datasets(method: str) -> tuple[str, ...]:
    """Return those of :func:`datasets_of` that are split by the stability protocol."""
    return tuple(name for name in datasets_of(method) if name in _stable)


def is_pretrained(method: str) -> bool:
    """Return whether a method's backbone starts from what the pipeline ``pretrain`` learned."""
    return method in _pretrained


def is_masked(method: str) -> bool:
    """Return whether a method's training asks the neighbours that the pipeline ``sna_generator`` draws."""
    return method in _masked


def compared_methods() -> tuple[str, ...]:
    """Return the methods that ``evaluation`` puts beside each other, the reference first."""
    return tuple(_put_together)


def asked_dataset() -> str:
    """Return the dataset that ``ingest``, ``doctor`` and ``landmarks`` are asked for."""
    return _asked[0]


def is_foreign() -> bool:
    """Return whether ``evaluation`` is asked to score predictions of another program."""
    return bool(_foreign)


def reader_of(dataset: str) -> str | None:
    """Return the reader of a dataset; None for one that is rendered or brought along as tables."""
    return _readers.get(dataset)


def _describes_dataset(value: Any) -> bool:
    return isinstance(value, Mapping) and ("reader" in value or "root" in value)


def _block(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    allowed = ("reader", "root", *_BLOCK)
    for key in value:
        if key not in allowed:
            raise ParameterError(
                f"{name}.{key} is no parameter of a dataset; {did_you_mean(key, allowed)}They are {', '.join(allowed)}"
            )
    for key in ("reader", "root"):
        if not isinstance(value.get(key), str):
            raise ParameterError(
                f"{name}.{key} is {value.get(key)!r}; give the "
                + ("name of a reader: " + ", ".join(READERS) if key == "reader" else "folder of your copy")
            )
    if value["reader"] not in READERS:
        raise ParameterError(
            f"{name}.reader is {value['reader']!r}; {did_you_mean(value['reader'], READERS)}The readers are "
            f"{', '.join(READERS)}"
        )
    return {key: dict(default) for key, default in _BLOCK.items()} | {
        key: inner for key, inner in value.items() if inner is not None
    }


def _foreign_name(parameters: Mapping[str, Any]) -> dict[str, str]:
    file, name = parameters.get("predictions"), parameters.get("predictions_name")
    _foreign[:] = [] if file is None else [str(file)]
    if file is None and name is None:
        return {}
    if not isinstance(file, str) or not isinstance(name, str | None):
        raise ParameterError(
            f"predictions is {file!r} and predictions_name {name!r}; give the path of a .parquet or .csv file, and "
            "beside it, if you like, how its method is called in tables"
        )
    return {"predictions_name": name or PurePath(file).stem}


def _others(method: str, datasets: Any) -> tuple[str, ...]:
    if isinstance(datasets, str) or not all(isinstance(name, str) for name in datasets):
        raise ParameterError(
            f"{method}.tested_on is {datasets!r}; give a list of dataset names, such as [synthetic_sequences]"
        )
    for name in datasets:
        if name in datasets_of(method) or list(datasets).count(name) > 1:
            raise ParameterError(
                f"{method}.tested_on names {name}, which {method} trains on or which is named twice; its own test side "
                "is in the results already: take it out"
            )
    return tuple(datasets)


def _is_stable(block: Mapping[str, Any]) -> bool:
    protocol = block["protocol"]
    return isinstance(protocol, Mapping) and protocol.get("kind") == "stability"
