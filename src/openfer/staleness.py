"""Which runs there are, and why one is not up to date: the runner's own ingredients against its records."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kedro.framework.context import KedroContext
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pydantic import ValidationError

from openfer.context import typed_parameters
from openfer.errors import OpenferError, ParameterError, did_you_mean
from openfer.io.provenance import Ingredients, decisive, read_record
from openfer.io.runs import LAYERS, Run
from openfer.pipelines.planned import current_plan
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.runners.work import Work
from openfer.runs import foreign, words
from openfer.runs.plan import RunPlan
from openfer.runs.settings import RunSettings
from openfer.runs.tags import PUBLISHES, slug_of

_SLUG = re.compile(r"\w+-s\d+-f\d+-[0-9a-f]{6}")
_WORK = Path("02_intermediate/.work")
_PARAMETER = "params:"
_NOTHING = object()

State = Literal["up to date", "stale", "failed", "incomplete"]


@dataclass(frozen=True)
class Verdict:
    """Whether a run is up to date.

    Attributes:
        state: ``stale``: complete, but a command would do some of it again; ``incomplete``: it has no record.
        causes: why it is not up to date, in the order of its nodes, each with the nodes that it concerns.
        followers: nodes that run again only if the result of an earlier one differs.
        n_nodes: that were compared.
    """

    state: State
    causes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    followers: tuple[str, ...] = ()
    n_nodes: int = 0


@dataclass(frozen=True)
class StoredRun(RunPlan):
    """A run as its record describes it, under the name that it had.

    Attributes:
        name: its slug when it ran.
        trained: the run whose models it predicts with; None if they are its own.
    """

    name: str
    trained: RunPlan | None = None

    @property
    def slug(self) -> str:  # the name of its folders, whatever the name would be now
        """The identity that it had."""
        return self.name

    @property
    def training(self) -> RunPlan:
        """The run that trained its models."""
        return self.trained or self

    @property
    def slug_now(self) -> str:
        """The identity that the present code and datasets give it."""
        return RunPlan(self.settings, self.prerequisites, self.data).slug


def all_runs(root: Path) -> list[Run]:
    """Return all runs that have left a folder, finished or not, by name.

    Args:
        root: folder of the layers.
    """
    places = [path for layer in LAYERS for path in root.glob(f"{layer}/*/*") if path.is_dir()]
    own = [path for path in places if path.name.startswith(f"{path.parent.name}-")]  # exported ones have another parent
    found = {path.name: path.parent.name for path in own if _SLUG.fullmatch(path.name)}
    for path in root.glob(f"{_WORK}/*.*"):
        method, _, slug = path.name.partition(".")
        if _SLUG.fullmatch(slug):
            found[slug] = method
    return [Run(root, slug, found[slug]) for slug in sorted(found)]


def folders_of(run: Run) -> list[Path]:
    """Return the folders that a run has left, its work folder among them."""
    return [path for path in (*run.folders, run.root / _WORK / f"{run.method}.{run.name}") if path.is_dir()]


def size_of(run: Run) -> int:
    """Return the bytes that a run takes."""
    return sum(path.stat().st_size for folder in folders_of(run) for path in folder.rglob("*") if path.is_file())


def needed_by(runs: list[Run]) -> dict[str, list[str]]:
    """Return the runs that need each run, by slug."""
    needed: dict[str, list[str]] = {}
    for run in runs:
        record = run.record
        if record is not None:
            for slug in {*record.prerequisites.values(), record.trained} - {""}:
                needed.setdefault(slug, []).append(run.name)
    return needed


def chosen(runs: list[Run], slugs: tuple[str, ...]) -> list[Run]:
    """Return runs by their names.

    Raises:
        ParameterError: if there is no such run.
    """
    known = {run.name: run for run in runs}
    for slug in slugs:
        if slug not in known:
            names = did_you_mean(slug, known, "`kedro runs list` names all of them")
            raise ParameterError(f"there is no run {slug!r}; {names}")
    return [known[slug] for slug in dict.fromkeys(slugs)]


class Examiner:
    """Compares runs with what the present parameters, data and code would make.

    Args:
        context: of the project; its hooks have made the plan.
    """

    def __init__(self, context: KedroContext) -> None:
        loader = context.config_loader
        self.root = context.project_path / str(loader["globals"]["data_root"])
        self._parameters: dict[str, Any] = loader["parameters"]
        self._files, self._plan = context.catalog, current_plan()
        self._requested = self._plan.runs
        self._catalog = DataCatalog()
        self._known: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def examine(self, run: Run) -> Verdict:
        """Return whether a run is up to date, and if not, why."""
        record = run.record
        if record is not None and record.state == "failed":
            return Verdict("failed", {f"it failed: {record.error}; the same command tries it again": ()})
        if run.method == foreign.METHOD:
            return Verdict("up to date" if record else "incomplete", {} if record else {_INTERRUPTED: ()})
        if record is None and run.name not in self._requested:
            return Verdict("incomplete", {_INTERRUPTED: ()})
        try:
            found = self.stored(run.name)
        except ParameterError as error:
            return Verdict("stale", {f"its stored settings are not valid any more: {error}": ()})
        renamed = self._renamed(found) if isinstance(found, StoredRun) else {}
        causes, followers, n_nodes = self._causes(found)
        if record is None:
            return Verdict("incomplete", {_INTERRUPTED: ()} | causes, followers, n_nodes)
        causes = renamed | causes
        return Verdict("stale" if causes else "up to date", causes, followers, n_nodes)

    def planned(self, run: Run) -> RunSettings | None:
        """Return the settings of a run that the present parameters ask for; None for any other."""
        found = self._requested.get(run.name)
        return None if found is None else found.settings

    def stored(self, slug: str) -> RunPlan:
        """Return a run as its record describes it, or as the present parameters ask for it where it has no record.

        Raises:
            ParameterError: if it is not there, or its settings are not valid any more.
        """
        record = Run(self.root, slug).record
        if record is None or record.state == "failed":
            if slug not in self._requested:
                raise ParameterError(f"it needs {slug}, which is not there; run the same command again")
            return self._requested[slug]
        try:
            settings = RunSettings.model_validate(record.settings | {"fresh": False})
        except ValidationError as error:
            raise ParameterError(words.in_words(str(record.settings.get("method")), error)) from error
        if set(settings.prerequisites) != set(record.prerequisites):
            raise ParameterError(
                f"{settings.method} needs {', '.join(settings.prerequisites) or 'no other run'} now, and needed "
                f"{', '.join(record.prerequisites) or 'none'}"
            )
        before = {name: self.stored(needed) for name, needed in record.prerequisites.items()}
        data = {name: self._plan.datasets.identity(name) for name in settings.datasets}
        return StoredRun(settings, before, data, slug, self.stored(record.trained) if record.trained else None)

    def _renamed(self, run: StoredRun) -> dict[str, tuple[str, ...]]:
        if run.slug_now == run.name:
            return {}
        renamed = [before for before in run.prerequisites.values() if isinstance(before, StoredRun)]
        parts = [f"its prerequisite {before.name} is {before.slug_now}" for before in renamed if self._renamed(before)]
        made = read_record(Run(self.root, run.name).record_path)
        if made is not None and made.parameters[f"{_PARAMETER}runs.{run.name}"] != decisive(run.settings):
            parts.append("its settings differ")
        why = "; ".join(parts) or f"the parameters of {', '.join(run.data)} have changed"
        return {f"its name would be {run.slug_now} now, and a command trains that run beside it: {why}": ()}

    def _prepared(self, run: RunPlan) -> Pipeline:
        """Return the pipeline of a run, with all that it names in the catalog."""
        pipeline = runs_pipeline([run], self._plan.datasets)
        self.catalog_of(run, pipeline)
        return pipeline

    def catalog_of(self, run: RunPlan, pipeline: Pipeline) -> DataCatalog:
        """Return a catalog with all that a pipeline of a stored run names, the run's own settings among it.

        Raises:
            ParameterError: if a parameter is not valid.
        """
        own = {part.slug: part.settings.model_dump() for part in run.chain()}
        typed = typed_parameters({run.slug: pipeline}, self._parameters | {"runs": own})
        for name in sorted(pipeline.datasets()):
            if name not in self._catalog:
                given = name.startswith(_PARAMETER)
                self._catalog[name] = (
                    MemoryDataset(_at(typed, name), copy_mode="assign") if given else self._files.get(name)
                )
        return self._catalog

    def _causes(self, run: RunPlan) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], int]:
        causes: dict[str, dict[str, None]] = {}
        modules: dict[str, dict[str, None]] = {}
        followers: dict[str, None] = {}
        late: set[str] = set()
        nodes = [node for node in self._prepared(run).nodes if not self._was_left_out(node)]
        for node in nodes:
            if node.name not in self._known:
                self._known[node.name] = self._own(node, late)
            own, code = self._known[node.name]
            slug = slug_of(node.tags)
            name = node.name.removeprefix(f"{run.namespace}.") if slug in (None, run.slug) else f"nodes of {slug}"
            for found, here in ((causes, own), (modules, code)):
                for cause in here:
                    found.setdefault(cause, {})[name] = None
            if not own and not code:
                if not late & {_file(name) for name in node.inputs}:
                    continue
                followers[name] = None
            late |= {_file(name) for name in node.outputs}
        together: dict[tuple[str, ...], list[str]] = {}
        for module, users in modules.items():
            together.setdefault(tuple(users), []).append(module)
        told = {cause: tuple(users) for cause, users in causes.items()}
        told |= {f"the code of {_shortened(changed)} has changed": users for users, changed in together.items()}
        return told, tuple(followers), len(nodes)

    def _was_left_out(self, node: Node) -> bool:
        """Return whether a node never ran because a study leaves it out."""
        return PUBLISHES in node.tags and not any(self._catalog.exists(name) for name in node.outputs)

    def _own(self, node: Node, late: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return why a node runs again, apart from earlier nodes that run again; and the modules that have changed."""
        try:
            work = Work(node, self._catalog)
            if work.is_done():
                return (), ()
        except OpenferError as error:
            return (str(error),), ()
        records = {name: None if path is None else read_record(path) for name, path in work.outputs.items()}
        missing = [name.rpartition(".")[2] for name, record in records.items() if record is None]
        causes: dict[str, None] = {}
        if missing and not late & {_file(name) for name in node.inputs}:
            causes[f"{', '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing or incomplete"] = None
        modules: dict[str, None] = {}
        for record in records.values():
            if record is not None:
                causes |= dict.fromkeys(differences(record.ingredients, work.ingredients, late))
                modules |= dict.fromkeys(changed_code(record.ingredients, work.ingredients))
        return tuple(causes), tuple(modules)


def differences(before: Ingredients, now: Ingredients, late: set[str] | frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield in words which parameters and inputs of an output are not those that it was made of.

    Args:
        before: when it was made.
        now: at present.
        late: inputs that are going to be made again; a change of theirs is no cause.
    """
    yield from (f"parameter {found}" for found in _changed("", before.parameters, now.parameters))
    for name in dict.fromkeys((*before.inputs, *now.inputs)):
        if before.inputs.get(name) != now.inputs.get(name) and _file(name) not in late:
            how = "is new" if name not in before.inputs else "is gone" if name not in now.inputs else "has changed"
            yield f"input {name} {how}"


def changed_code(before: Ingredients, now: Ingredients) -> list[str]:
    """Return the functions and modules that are not those by which an output was made."""
    names = dict.fromkeys((*before.code, *now.code))
    return [name for name in names if before.code.get(name) != now.code.get(name)]


def _shortened(modules: list[str]) -> str:
    further = len(modules) - _MODULES
    shown = ", ".join(modules[:_MODULES])
    return f"{shown} and {further} further module{'s' if further > 1 else ''}" if further > 0 else shown


_MODULES = 6
"""Modules that a cause names."""

_INTERRUPTED = "it has no record: it was interrupted; the same command resumes it"


def _changed(place: str, before: Any, now: Any) -> Iterator[str]:
    """Yield what differs between two values of a parameter, each with its full name."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*before, *now)):
            inner = f"{place}.{key}" if place else _named(str(key))
            yield from _changed(inner, before.get(key, _NOTHING), now.get(key, _NOTHING))
    elif before != now:
        yield f"{place}: {_value(before)} -> {_value(now)}"


def _named(parameter: str) -> str:
    """Return the name that a person gives to a parameter: ``addl`` for that of one of its runs."""
    name = parameter.removeprefix(_PARAMETER)
    kind, _, slug = name.partition(".")
    return slug.partition("-")[0] if kind == "runs" else name


def _value(value: Any) -> str:
    return "not set" if value is _NOTHING else repr(value)


def _file(name: str) -> str:
    """Return a dataset's name without the way in which it is read."""
    return name.partition("@")[0]


def _at(typed: Mapping[str, Any], parameter: str) -> Any:
    found: Any = typed
    for key in parameter.removeprefix(_PARAMETER).split("."):
        found = found[key] if isinstance(found, Mapping) else getattr(found, key)
    return found
