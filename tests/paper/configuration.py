"""What the environments base and paper resolve to, and what the files of conf/paper say themselves."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from openfer.methods.declaration import METHODS
from openfer.parameters import WITHOUT_EFFECT
from openfer.runs.project import Plan
from openfer.runs.settings import RunSettings
from openfer.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS
from tests.pipelines.conftest import ROOT
from tests.pipelines.plans import project_plan

_FILLED_IN = "entry"
"""What the weights manifest says of a backbone's name; it is no parameter."""

_OF_THE_RUN = ("method", "variant", "datasets", "seed", "fold")
"""Fields of a run without which there is none; a paper's datasets are the parameter `dataset`."""


@functools.cache
def planned(environment: str, dataset: str | None = None) -> Plan:
    """Return the plan of an environment, with the parameter ``dataset`` as typed."""
    return project_plan(environment, **({} if dataset is None else {"dataset": dataset}))


def resolved(name: str, environment: str, dataset: str | None = None) -> Any:
    """Return what a parameter such as ``addl.settings.dropout`` resolves to, in plain values."""
    made = planned(environment, dataset)
    top, _, rest = name.partition(".")
    value: Any = made.requested[top][0].settings if top in METHODS else _dataset_blocks(made)[top]
    for key in rest.split("."):
        value = value[key] if isinstance(value, Mapping) else getattr(value, key)
    return plain(value)


def plain(value: Any) -> Any:
    """Return a value as YAML has it."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def unlike_its_model(settings: RunSettings) -> Iterator[str]:
    """Yield the settings of a run that differ from the defaults of their models, such as ``images.crop``."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if name in _OF_THE_RUN or field.json_schema_extra == WITHOUT_EFFECT:
            continue
        default = settings.declared.settings() if name == "settings" else _default(type(settings), name)
        yield from _unlike(value, default, name)


def unlike_its_models(dataset: str) -> Iterator[str]:
    """Yield the parameters of a dataset that differ from the defaults of their models, such as ``mmi.faces.turned``."""
    for part, value in _dataset_blocks(planned("base"))[dataset].items():
        yield from _unlike(value, None, f"{dataset}.{part}")


def stated(name: str) -> bool:
    """Return whether a file of conf/paper says what a parameter is, or a global that conf/base takes it from."""
    if name.startswith("globals."):
        return name.removeprefix("globals.") in _files("paper", "globals")
    if _find(_files("paper", "parameters"), name) is not _ABSENT:
        return True
    above = _find(_files("paper", "parameters"), name.rpartition(".")[0])
    if above is not _ABSENT and not isinstance(above, Mapping):  # such as batch_mean in the place of {last_epoch: 0.9}
        return True
    told = _find(_raw_base(), name)
    reference = str(told).removeprefix("${globals:").removesuffix("}")
    return f"${{globals:{reference}}}" == told and _find(_files("paper", "globals"), reference) is not _ABSENT


def base_globals() -> list[str]:
    """Return the names in conf/base/globals.yml."""
    return list(_files("base", "globals"))


_ABSENT = object()


def _unlike(value: Any, default: Any, path: str) -> Iterator[str]:
    if not isinstance(value, BaseModel):
        if value != default:
            yield path
        return
    same = isinstance(default, type(value))
    for name, field in type(value).model_fields.items():
        if field.json_schema_extra != WITHOUT_EFFECT and name != _FILLED_IN:
            of_default = getattr(default, name) if same else _default(type(value), name)
            yield from _unlike(getattr(value, name), of_default, f"{path}.{name}")


def _default(model: type[BaseModel], name: str) -> Any:
    field = model.model_fields[name]
    return _ABSENT if field.is_required() else field.get_default(call_default_factory=True)


def _find(tree: Any, name: str) -> Any:
    for key in name.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return _ABSENT
        tree = tree[key]
    return tree


def _dataset_blocks(made: Plan) -> Mapping[str, Any]:
    from openfer.datasets.registry import READERS
    from openfer.faces.config import FacesConfig
    from openfer.protocols.config import DatasetProtocol

    return {
        name: {
            "options": READERS[block["reader"]].options_class.model_validate(block["options"]),
            "faces": FacesConfig.model_validate(block["faces"]),
            "protocol": DatasetProtocol.model_validate(block["protocol"]),
        }
        for name, block in made.datasets.blocks.items()
    }


@functools.cache
def _files(environment: str, key: str) -> Mapping[str, Any]:
    """Return what the files of one environment say, without those of base."""
    arguments: dict[str, Any] = {**CONFIG_LOADER_ARGS, "local_env": None}
    whole = CONFIG_LOADER_CLASS(str(ROOT / "conf"), env=environment, **arguments)
    alone = CONFIG_LOADER_CLASS(str(ROOT / "conf"), env=environment, **arguments | {"base_env": environment})
    if key != "globals":
        alone["globals"] = whole["globals"]
    return dict(alone[key])


@functools.cache
def _raw_base() -> Mapping[str, Any]:
    """Return conf/base's parameters with their references to globals as they are written."""
    found: dict[str, Any] = {}
    for path in sorted((ROOT / "conf/base/parameters").rglob("*.yml")):
        found |= yaml.safe_load(path.read_text()) or {}
    return found
