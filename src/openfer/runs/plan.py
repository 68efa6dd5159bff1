"""The plan: which runs a set of parameters asks for. A pure function of the parameters; no torch here."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from openfer.errors import ParameterError
from openfer.io.provenance import decisive
from openfer.nn.initialisation_settings import PRETRAIN
from openfer.parameters import as_trained
from openfer.runs.datasets import Datasets
from openfer.runs.recipes import laid_over, with_recipe
from openfer.runs.settings import RunSettings
from openfer.runs.words import in_words
from openfer.training.mask_settings import GENERATOR, MASKED

DATASET = "synthetic_fer"
"""The dataset where the parameter ``dataset`` names none."""

_DIGITS = 6
"""Digits of the hash in a slug; the plan refuses two configurations with the same ones."""


@dataclass(frozen=True)
class RunPlan:
    """One training, with everything that decides its result.

    Attributes:
        settings: method, variant, datasets, seed, fold, initialisation and all else that is set.
        prerequisites: the runs whose trained models it is given, by method.
        data: identities of its training datasets, by name.
    """

    settings: RunSettings
    prerequisites: Mapping[str, "RunPlan"]
    data: Mapping[str, str]

    @property
    def method(self) -> str:
        """The registered method."""
        return self.settings.method

    @cached_property
    def configuration(self) -> str:
        """A hash of what decides the result, apart from seed and fold: equal for the runs of one table line."""
        own = {name: value for name, value in decisive(self.settings).items() if name not in ("seed", "fold")}
        before = {
            name: [run.configuration, None if _share_data(run.settings, self.settings) else run.settings.fold]
            for name, run in self.prerequisites.items()
        }
        text = json.dumps([own, before, dict(self.data)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def slug(self) -> str:
        """The identity of the run, readable and unique, such as ``addl-s1-f0-3fa92c``."""
        return f"{self.method}-s{self.settings.seed}-f{self.settings.fold}-{self.configuration[:_DIGITS]}"

    @property
    def namespace(self) -> str:
        """The Kedro namespace of its nodes: the method, and the slug within it."""
        return f"{self.method}.{self.slug}"

    @cached_property
    def training(self) -> "RunPlan":
        """The run that trains the model: itself, unless settings of prediction alone differ from their defaults."""
        trained = as_trained(self.settings)
        return self if trained == self.settings else replace(self, settings=trained)

    def chain(self) -> Iterator["RunPlan"]:
        """Yield the run after all that it needs; the same run may come several times."""
        for run in self.prerequisites.values():
            yield from run.chain()
        if self.training is not self:
            yield self.training
        yield self


def chain_of(runs: Iterable[RunPlan]) -> dict[str, RunPlan]:
    """Return runs and all that they need, by slug, each after what it needs.

    A run that is both given and needed is the given one: only that one names the datasets that it is tested on.

    Raises:
        ParameterError: if two configurations have the same slug.
    """
    given: dict[str, RunPlan] = {}
    found: dict[str, RunPlan] = {}
    chain: list[RunPlan] = []
    for wanted in runs:
        given.setdefault(wanted.slug, wanted)
        chain += wanted.chain()
    for run in chain:
        if found.setdefault(run.slug, given.get(run.slug, run)).configuration != run.configuration:
            raise ParameterError(
                f"two runs have the name {run.slug} by chance; change any of their settings, or a seed"
            )
    return found


class Planner:
    """Makes runs of parameter blocks; a block may hold a recipe for each dataset (:mod:`openfer.runs.recipes`).

    Args:
        parameters: all top-level parameters, with the weights manifest filled in.
        datasets: the project's.
    """

    def __init__(self, parameters: Mapping[str, Any], datasets: Datasets) -> None:
        self._parameters, self._datasets = parameters, datasets

    def requested(self, method: str) -> tuple[RunPlan, ...]:
        """Return the runs that a method's block asks for: one for each of its seeds and folds.

        A block without ``datasets`` learns from the one that the parameter ``dataset`` names.

        Raises:
            ParameterError: if the block is not valid, or asks for a run that needs itself.
        """
        block = self._block(method)
        datasets = block.get("datasets") or [self._parameters.get("dataset", DATASET)]
        block = with_recipe(block, _listed(datasets))
        block["datasets"] = block.get("datasets") or datasets
        seeds, folds = block.pop("seeds", None), block.pop("folds", None)
        first = self.run(method, block)
        numbers = _numbers(f"{method}.seeds", seeds, default=first.settings.seed)
        most = max(self._datasets.folds(name) for name in first.settings.datasets)
        tested = range(most) if folds == "all" else _numbers(f"{method}.folds", folds, default=first.settings.fold)
        return tuple(self.run(method, {**block, "seed": seed, "fold": fold}) for seed in numbers for fold in tested)

    def run(
        self,
        method: str,
        block: Mapping[str, Any],
        changes: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
        start: RunPlan | None = None,
    ) -> RunPlan:
        """Return a run and, recursively, those that it needs: with its seed, and with its fold if they share a dataset.

        A needed run whose block has no ``datasets`` learns from those of the run that needs it.

        Args:
            method: the registered method.
            block: its parameters.
            changes: what to lay over the blocks of prerequisites, by method.
            start: the run of the same method whose weights this one starts from, where ``initialisation.column`` names
                a column of a study.

        Raises:
            ParameterError: if a block is not valid, or a run needs itself.
        """
        made = self._run(method, block, changes or {}, ())
        if (made.settings.initialisation.column is None) != (start is None):
            raise ParameterError(
                f"{method}.initialisation.column is {made.settings.initialisation.column!r}; it names a column of a "
                "study, and only the changes of a study can set it"
            )
        return made if start is None else replace(made, prerequisites={method: start.training, **made.prerequisites})

    def _run(
        self,
        method: str,
        block: Mapping[str, Any],
        changes: Mapping[str, Iterable[Mapping[str, Any]]],
        needed_by: tuple[RunSettings, ...],
    ) -> RunPlan:
        try:
            settings = RunSettings.model_validate(dict(block))
        except ValidationError as error:
            raise ParameterError(in_words(method, error)) from error
        _refuse_circle(settings, needed_by)
        prerequisites = {}
        for name in settings.prerequisites:
            own = self._needed(name, changes.get(name, ()), settings.datasets)
            own.pop("seeds", None), own.pop("folds", None)
            own |= {"seed": settings.seed, "test_datasets": []}
            own |= {"fold": settings.fold} if set(own.get("datasets", ())) & set(settings.datasets) else {}
            prerequisites[name] = self._run(name, own, changes, (*needed_by, settings))
        data = {name: self._datasets.identity(name) for name in settings.datasets}
        return RunPlan(settings, {name: run.training for name, run in prerequisites.items()}, data)

    def _needed(self, method: str, changes: Iterable[Mapping[str, Any]], datasets: tuple[str, ...]) -> dict[str, Any]:
        """Return the block of a needed run: its recipe follows its own datasets, and changes override it."""
        changes, block = tuple(changes), self._block(method)
        chosen = laid_over(block, *changes).get("datasets") or list(datasets)
        made = laid_over(with_recipe(block, _listed(chosen)), *changes)
        return made | {"datasets": made.get("datasets") or chosen}

    def _block(self, method: str) -> dict[str, Any]:
        block = self._parameters.get(method)
        if not isinstance(block, Mapping):
            raise ParameterError(
                f"{method} has no parameters; write a block `{method}` with method, datasets, seed, images and "
                f"settings into conf/base/parameters/{method}.yml"
            )
        return dict(block)


def _share_data(one: RunSettings, other: RunSettings) -> bool:
    """Return whether two runs have a training dataset in common; then they have one fold."""
    return not set(one.datasets).isdisjoint(other.datasets)


def _listed(datasets: Any) -> tuple[str, ...]:
    """Return names of datasets; nothing for what is no list, which validation refuses."""
    return tuple(datasets) if isinstance(datasets, list | tuple) else ()


def _numbers(name: str, value: Any, default: int) -> tuple[int, ...]:
    """Return seeds or folds: a number N stands for 0 to N - 1."""
    if value is None:
        return (default,)
    numbers = tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value
    listed = isinstance(numbers, list | tuple) and all(isinstance(n, int) and n >= 0 for n in numbers)
    if not listed or not numbers or len(set(numbers)) < len(numbers):
        also = ", or all" if name.endswith("folds") else ""
        raise ParameterError(
            f"{name} is {value!r}; give how many (3 stands for 0, 1, 2), or a list of numbers such as [0, 4]{also}"
        )
    return tuple(numbers)


def _refuse_circle(settings: RunSettings, needed_by: tuple[RunSettings, ...]) -> None:
    """Refuse a run that needs itself. Only an initialisation or a mask can make one need another that needs it."""
    methods = [run.method for run in needed_by]
    if settings.method not in methods:
        return
    circle = needed_by[methods.index(settings.method) :]
    for run, needed in zip(circle, (*circle[1:], settings), strict=True):
        if needed.method == PRETRAIN and run.is_pretrained:
            raise ParameterError(
                f"{run.method}.initialisation.backbone is {PRETRAIN}, which in turn needs {run.method}; set none, or a "
                "path"
            )
        if needed.method == GENERATOR and run.is_masked:
            raise ParameterError(
                f"{run.method}.training.neighbourhood_mask is set, but the neighbours come from {GENERATOR}, which "
                f"needs {run.method}; leave it null, and run {MASKED} for the two-scale network with a mask"
            )
