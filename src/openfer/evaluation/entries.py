"""Runs put together that differ in their seed or fold alone: what one line of a leaderboard stands for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from openfer.evaluation.names import run_name
from openfer.evaluation.predictions import classified
from openfer.io.runs import Run

UNKNOWN = "unknown"
"""What is said of a fact that a run does not carry, as of predictions that another program made."""

_SAME = (
    *("method", "variant", "datasets", "tested_on", "initialisation", "initialisation_sha256", "label_noise"),
    *("config", "images", "mask"),
)
"""The facts in which the runs of an entry agree."""

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
    """

    name: str
    method: str
    variant: str
    tested: str
    selection: str
    runs: tuple[Run, ...]
    facts: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def folders(self) -> str:
        """Return the names of the runs' folders."""
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
    seed and fold, and every seed has the same folds, so that the mean over seeds is of one test. Else each is its own.
    """
    groups: dict[str, list[tuple[Run, pd.DataFrame, pd.DataFrame]]] = {}
    for run in runs:
        predictions = run.predictions.assign(run=run.name)
        facts = _facts_of(run, predictions)
        key = json.dumps([[name, facts.iloc[0].get(name)] for name in _SAME], sort_keys=True, default=str)
        groups.setdefault(key, []).append((run, facts, predictions))
    parts: list[list[tuple[Run, pd.DataFrame, pd.DataFrame]]] = []
    for group in groups.values():
        parts += [group] if _belong_together([facts for _, facts, _ in group]) else [[member] for member in group]
    names = [_name_of(part[0][1]) for part in parts]
    return [
        _entry(f"{name} ({', '.join(run.name for run, *_ in part)})" if names.count(name) > 1 else name, part)
        for name, part in zip(names, parts, strict=True)
    ]


def _entry(name: str, part: list[tuple[Run, pd.DataFrame, pd.DataFrame]]) -> Entry:
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
    seen = [(table["seed"].iloc[0], table["fold"].iloc[0] if "fold" in table else 0) for table in facts]
    folds = {seed: frozenset(fold for of, fold in seen if of == seed) for seed, _ in seen}
    return len(set(seen)) == len(seen) and len(set(folds.values())) == 1


def _first(facts: pd.DataFrame, *names: str) -> tuple[str, ...]:
    return tuple(str(facts[name].iloc[0]) for name in names)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and pd.isna(value))


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
