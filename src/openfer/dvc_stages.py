"""`dvc.yaml`, made from the registry and the catalog: one stage for each pipeline; no two stages share a folder."""

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer import pipelines as packages
from openfer.code_version import code_modules
from openfer.io.datasets import CacheFolderDataset, WorkFolderDataset
from openfer.io.left_behind import LeftBehindDataset
from openfer.io.runs import RunDataset
from openfer.methods.declaration import METHODS

_HEADER = """\
# Written by `kedro dvc`; a test compares. `dvc repro addl` rebuilds what changed. Each stage is a Kedro pipeline, which
# skips what is up to date; `persist` keeps a stage's outputs until then, so that an interrupted training resumes.
"""
_DEFAULT, _RENDERED = "__default__", "synthesize"
_NO_STAGES = (_DEFAULT, "ingest", "predict")
"""Pipelines without a stage: the default one is several stages; `ingest` has one for each dataset; the folder of
`predict` is no data of the project."""

_SHAPED_BY = {
    "evaluation": "compared_methods",
    "doctor": "dataset",
    "landmarks": "dataset",
    "study": "study",
    "export": "export",
}
"""The parameter that decides which nodes a pipeline has, where no node reads it."""

_PARAMETERS, _GLOBALS = "conf/base/parameters", "conf/base/globals.yml"
_REFERENCE = re.compile(r"\$\{(globals:)?(\w+)")
_BY_FILE = ("openfer.methods.", "openfer.datasets.readers.")
"""Rooms of which a stage depends on single files: other methods and readers do not matter to it."""

_WIDTH = 96


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: of the stage and its pipeline.
        desc: what it does.
        deps: files and folders that it reads: code, and outputs of other stages.
        params: parameters that it reads, by YAML file.
        outs: folders that it writes.
    """

    name: str
    desc: str
    deps: tuple[str, ...]
    params: Mapping[str, tuple[str, ...]]
    outs: tuple[str, ...]


class Stages:
    """All stages of a project.

    Args:
        pipelines: all pipelines by name.
        catalog: with the datasets that they name.
        root: folder of the project.
    """

    def __init__(self, pipelines: Mapping[str, Pipeline], catalog: CatalogProtocol, root: Path) -> None:
        self._pipelines = {name: pipeline for name, pipeline in pipelines.items() if name not in _NO_STAGES}
        self._default = pipelines[_DEFAULT]
        self._catalog, self._root = catalog, root
        self._blocks = _blocks(root)
        nodes = {node.name: node for pipeline in self._pipelines.values() for node in pipeline.nodes}
        self._owners = {name: self._owner(node) for name, node in nodes.items()}
        self._outs: dict[str, str] = {}
        for name, node in nodes.items():
            for folder in map(self._folder, node.outputs):
                owner = self._outs.setdefault(folder, self._owners[name])
                if owner != self._owners[name]:
                    raise ValueError(f"{folder} is written by the stages {owner} and {self._owners[name]}")

    def all(self) -> list[Stage]:
        """Return the stages, that of the rendered faces first."""
        return [self._stage(name) for name in sorted(self._pipelines, key=lambda name: (name != _RENDERED, name))]

    def _owner(self, node: Node) -> str:
        """Return the stage of a node: the one of its namespace, or the only pipeline that has it."""
        space = str(node.namespace).partition(".")[0]
        having = [name for name, pipeline in self._pipelines.items() if node in pipeline.nodes]
        if space in self._pipelines:
            return space
        methods = [name for name in having if name in METHODS]
        return _RENDERED if _RENDERED in having else (methods or having)[0]

    def _stage(self, name: str) -> Stage:
        # A study also runs nodes of a method that the method's own stage does not.
        nodes = [
            node
            for node in self._pipelines[name].nodes
            if self._owners[node.name] == name or node not in self._pipelines[self._owners[node.name]].nodes
        ]
        inputs = {name for node in nodes for name in node.inputs if not name.startswith("params:")}
        folders = {folder for read in inputs for folder in self._read(read)}
        data = [folder for folder in folders if self._outs[folder] != name]
        code = {module for node in nodes for module in code_modules(node.func)}
        outs = [folder for folder, owner in self._outs.items() if owner == name]
        return Stage(
            name,
            _desc(name),
            (*sorted(data), *sorted({place for module in code for place in self._place(module)})),
            self._params(name, nodes),
            tuple(sorted(outs)),
        )

    def _folder(self, name: str) -> str:
        """Return the folder of a dataset, such as ``data/06_models/addl``."""
        dataset = self._catalog.get(name)
        return self._relative(Path(getattr(dataset, "_filepath", None) or dataset._path))

    def _read(self, name: str) -> list[str]:
        """Return the folders of all that a node reads from a dataset."""
        dataset = self._catalog.get(name)
        if isinstance(dataset, WorkFolderDataset | CacheFolderDataset):
            return []
        if isinstance(dataset, LeftBehindDataset):  # whatever there is: for one, what the default run leaves
            runs = {self._owners[node.name] for node in self._default.nodes} & set(METHODS.names())
            return [folder for folder, owner in self._outs.items() if owner in runs]
        if isinstance(dataset, RunDataset):
            return [folder for folder in map(self._relative, dataset.load().folders) if folder in self._outs]
        return [self._folder(name)]

    def _relative(self, path: Path) -> str:
        inside = path.relative_to(self._root) if path.is_absolute() else path
        return Path(*inside.parts[:3]).as_posix()

    def _place(self, module: str) -> list[str]:
        """Return the code that a module stands for: its own file, or the room it is in."""
        own = module.startswith(_BY_FILE)
        parts = module.split(".")
        place = Path("src", *(parts if own else parts[:2]))
        candidates = (place.with_suffix(".py"), place / "__init__.py" if own or len(parts) == 1 else place)
        return [path.as_posix() for path in candidates if (self._root / path).exists()][:1]

    def _params(self, name: str, nodes: Iterable[Node]) -> dict[str, tuple[str, ...]]:
        keys = {_SHAPED_BY[name]} if name in _SHAPED_BY else set()
        for parameter in (entry for node in nodes for entry in node.inputs if entry.startswith("params:")):
            top, _, inner = parameter.removeprefix("params:").partition(".")
            if top == "runs":
                keys.add(inner.partition("-")[0])
            elif top == "study_plan":
                keys.add(str(self._catalog.load(parameter).name))
            else:
                keys.add(top)
        found: dict[str, set[str]] = {}
        pending = [key for key in keys if key in self._blocks]
        while pending:
            key = pending.pop()
            file, text = self._blocks[key]
            if key in found.setdefault(file, set()):
                continue
            found[file].add(key)
            for is_global, reference in _REFERENCE.findall(text):
                if is_global:
                    found.setdefault(_GLOBALS, set()).add(reference)
                elif reference in self._blocks:
                    pending.append(reference)
        return {file: tuple(sorted(found[file])) for file in sorted(found)}


def dvc_yaml(stages: Iterable[Stage]) -> str:
    """Return the text of ``dvc.yaml``."""
    return _HEADER + "stages:\n" + "\n".join(map(_text, stages))


def _text(stage: Stage) -> str:
    block: dict[str, Any] = {"desc": stage.desc, "cmd": f"kedro run --pipelines {stage.name}", "deps": list(stage.deps)}
    if stage.params:
        block["params"] = [{file: list(keys)} for file, keys in stage.params.items()]
    block["outs"] = [{folder: {"persist": True}} for folder in stage.outs]
    text = yaml.safe_dump({stage.name: block}, sort_keys=False, width=_WIDTH, default_flow_style=None)
    return "".join(f"  {line}\n" for line in text.splitlines())


def _desc(name: str) -> str:
    """Return the first line of what the pipeline's package, or the declaration of its method, says of itself."""
    place = f"openfer.methods.declared.{name}" if name in METHODS else f"{packages.__name__}.{name}"
    lines = (importlib.import_module(place).__doc__ or name).strip().splitlines()
    return lines[0].rstrip(".")


def _blocks(root: Path) -> dict[str, tuple[str, str]]:
    """Return the file of each top-level parameter, and its block as text."""
    found: dict[str, tuple[str, Any]] = {}
    for path in sorted((root / _PARAMETERS).rglob("*.yml")):
        for key, block in (yaml.safe_load(path.read_text()) or {}).items():
            found[key] = path.relative_to(root).as_posix(), yaml.safe_dump(block)
    return found
