"""Runs put together that differ in their seed or fold alone: what one line of a leaderboard stands for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from openfer.evaluation.predictions import classified, run_name
from openfer.io.runs import Run

UNKNOWN = "unknown"
"""What is said of a fact that a run does not carry, as of predictions that another program made."""

_SAME = (
    *("method", "variant", "datasets", "tested_on", "initialisation", "initialisation_sha256", "label_noise"),
    *("config", "images", "mask"),
)
"""The facts in which the runs of an entry agree."""

_Member = tuple[Run, pd.DataFrame, pd.DataFrame]
"""A run, its facts and its predictions."""

ORACLE = "oracle_test"

OPENFER, ELSEWHERE = "openfer", "another program"
"""Who made a run."""


@dataclass(frozen=True)
class Entry:
    """Runs of one method, variant and configuration on one dataset.

    Attributes:
        name: how tables call it; unique on a page.
        method: the registered method.
        variant: the paper's row.
        tested: the dataset and the role of the faces that were predicted, such as ``synthetic_fer (test)``.
        selection: the main one; the next honest one where that was chosen on the test set.
        runs: one per seed and fold.
        facts: one row per run and selection, with the run's name as ``run``.
        predictions: of all runs, with the run's name as ``run``.
        repeats: names of runs that are left out, as they answer exactly like one of these of the same seed and fold.
    """

    name: str
    method: str
    variant: str
    tested: str
    selection: str
    runs: tuple[Run, ...]
    facts: pd.DataFrame
    predictions: pd.DataFrame
    repeats: tuple[str, ...] = ()

    @property
    def folders(self) -> str:
        """The names of the runs' folders."""
        return ", ".join(run.name for run in self.runs)

    def of_run(self, run: Run) -> "Entry":
        """Return what the entry would be of one of its runs alone."""
        tables = (table[table["run"] == run.name] for table in (self.facts, self.predictions))
        facts, predictions = (table.reset_index(drop=True) for table in tables)
        return replace(self, runs=(run,), facts=facts, predictions=predictions)

    def of_main(self) -> "Entry":
        """Return the entry with the answers of its main selection alone."""
        return replace(self, predictions=self.predictions[self.predictions["selection"] == self.selection])

    @property
    def made_by(self) -> str:
        """Who trained and predicted: :data:`OPENFER`, or :data:`ELSEWHERE`, of whose training nothing is known."""
        return OPENFER if "plan" in self.facts else ELSEWHERE

    def main(self, task: str) -> pd.DataFrame:
        """Return the predictions of the main selection for one task, of faces with a class; there may be none."""
        table = self.predictions
        return classified(table[(table["selection"] == self.selection) & (table["task"] == task)])

    def said(self, fact: str, selection: str | None = None) -> str:
        """Return a fact in words, each value once where runs differ; ``unknown`` where none says it."""
        table = self.facts if selection is None else self.facts[self.facts["selection"] == selection]
        values = table[fact] if fact in table else pd.Series(dtype=object)
        words = [_word(value) for value in values if not _is_missing(value)]
        return ", ".join(dict.fromkeys(words)) or UNKNOWN


def entries_of(runs: Iterable[Run]) -> list[Entry]:
    """Group runs into entries, in the order of their names.

    Runs are one entry where they agree in all that makes a result but seed and fold, no two of them are of the same
    seed and fold, and every seed has the same folds, so that the mean over seeds is of one test. Where that does not
    hold of all that agree, those of one folder are tried alone, such as a study's; else each is its own. A run that
    repeats another answer by answer, such as a study's first seed that was trained before, counts once.
    """
    groups: dict[str, list[_Member]] = {}
    for run in runs:
        predictions = run.predictions.assign(run=run.name)
        facts = _facts_of(run, predictions)
        key = json.dumps([[name, facts.iloc[0].get(name)] for name in _SAME], sort_keys=True, default=str)
        groups.setdefault(key, []).append((run, facts, predictions))
    distinct = [_without_repeats(group) for group in groups.values()]
    parts = [_parts(group) for group, _ in distinct]
    names = [name for own in parts for name in _names(own)]
    repeats = [again if own[0] is part else () for own, (_, again) in zip(parts, distinct, strict=True) for part in own]
    return [
        _entry(f"{name} ({_folders_of(part)})" if names.count(name) > 1 else name, part, again)
        for name, part, again in zip(names, (part for own in parts for part in own), repeats, strict=True)
    ]


def _without_repeats(group: Sequence[_Member]) -> tuple[list[_Member], tuple[str, ...]]:
    """Return the runs that differ, those that lie highest before the others, and the names of those that repeat one."""
    kept: list[_Member] = []
    repeats = []
    for member in sorted(group, key=lambda each: each[0].name.count("/")):
        rivals = [own for _, facts, own in kept if _seed_and_fold(facts) == _seed_and_fold(member[1])]
        if any(_answers(own).equals(_answers(member[2])) for own in rivals):
            repeats.append(member[0].name)
        else:
            kept.append(member)
    return kept, tuple(repeats)


def _answers(predictions: pd.DataFrame) -> pd.DataFrame:
    ordered = predictions.drop(columns="run").dropna(axis=1, how="all")
    return ordered.sort_values(["task", "selection", "sample_id"], ignore_index=True).sort_index(axis=1)


def _parts(group: list[_Member]) -> list[list[_Member]]:
    if _belong_together([facts for _, facts, _ in group]):
        return [group]
    folders: dict[str, list[_Member]] = {}
    for member in group:
        folders.setdefault(member[0].name.rpartition("/")[0], []).append(member)
    if len(folders) > 1:
        return [part for own in folders.values() for part in _parts(own)]
    return [[member] for member in group]


def _names(parts: Sequence[list[_Member]]) -> list[str]:
    """Return what the entries of runs that agree are called: by their seeds, where there are several entries."""
    name, seeds = _name_of(parts[0][0][1]), [_seeds_of(part) for part in parts]
    return [f"{name} ({own})" if len(parts) > 1 and seeds.count(own) == 1 else name for own in seeds]


def _seeds_of(part: Sequence[_Member]) -> str:
    seeds = sorted({int(facts["seed"].iloc[0]) for _, facts, _ in part})
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def _folders_of(part: Sequence[_Member]) -> str:
    return ", ".join(run.name for run, *_ in part)


def _entry(name: str, part: list[_Member], repeats: tuple[str, ...]) -> Entry:
    facts = pd.concat([own for _, own, _ in part], ignore_index=True)
    method, variant, role = _first(facts, "method", "variant", "tested_on")
    return Entry(
        name=name,
        method=method,
        variant=variant,
        tested=f"{_word(facts['datasets'].iloc[0])} ({role})",
        selection=_selection(facts),
        runs=tuple(run for run, *_ in part),
        facts=facts,
        predictions=pd.concat([own for *_, own in part], ignore_index=True),
        repeats=repeats,
    )


def _selection(facts: pd.DataFrame) -> str:
    """Return the first selection that was not made on the test set, the main one before the others."""
    ordered = facts.sort_values("main_selection", ascending=False, kind="stable")["selection"]
    return next((str(name) for name in ordered if name != ORACLE), ORACLE)


def _name_of(facts: pd.DataFrame) -> str:
    name = run_name(*_first(facts, "method", "variant"))
    return f"{name}, oracle" if _selection(facts) == ORACLE else name


def _facts_of(run: Run, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the facts as a table; of predictions that came without, what the predictions themselves say."""
    facts: list[Mapping[str, Any]] = list(run.facts)
    if not facts:
        known = predictions[["method", "variant", "selection", "seed"]].drop_duplicates()
        named: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for _, row in known.iterrows()]
        datasets = list(predictions["dataset"].unique()) if "dataset" in predictions else [UNKNOWN]
        more = {"datasets": datasets, "tested_on": UNKNOWN}
        facts = [row | more | {"main_selection": row is named[0]} for row in named]
    return pd.DataFrame(facts).assign(run=run.name)


def _belong_together(facts: Sequence[pd.DataFrame]) -> bool:
    """Return whether no two runs are of the same seed and fold, and all seeds have the same folds."""
    seen = [_seed_and_fold(table) for table in facts]
    folds = {seed: frozenset(fold for of, fold in seen if of == seed) for seed, _ in seen}
    return len(set(seen)) == len(seen) and len(set(folds.values())) == 1


def _seed_and_fold(facts: pd.DataFrame) -> tuple[int, int]:
    return int(facts["seed"].iloc[0]), int(facts["fold"].iloc[0]) if "fold" in facts else 0


def _first(facts: pd.DataFrame, *names: str) -> tuple[str, ...]:
    return tuple(str(facts[name].iloc[0]) for name in names)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and pd.isna(value))


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
