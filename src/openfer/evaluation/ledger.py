"""The ledger: one row per run, with all that made it, and the published figure beside what came out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from openfer.evaluation.entries import ORACLE, UNKNOWN, Entry
from openfer.evaluation.leaderboard import TASK, commit_of, scored
from openfer.io.runs import Run

RANDOM = "random weights"
"""The initialisation that has no file, and no hash."""

_JOULES_PER_KWH = 3.6e6

SHA256 = "initialisation_sha256"

COLUMNS = (
    *("run", "entry", "made_by", "datasets", "data_version", "fold", "tested_on", "n_train", "n_test"),
    *("initialisation", SHA256, "sampling", "augmentation", "selection", "seed", "epochs", "epoch"),
    *("device", "precision", "threads", "wall_seconds", "gpu_kwh", "cpu_kwh", "openfer", "commit"),
    *("licences_of_data", "task"),
    *("accuracy", "published", "difference", "source", "differs", "oracle_accuracy"),
)


def ledger(entries: Iterable[Entry], scores: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return what made each run and what came out.

    Args:
        entries: from :func:`openfer.evaluation.entries.entries_of`.
        scores: of these entries, from :func:`openfer.evaluation.leaderboard.leaderboard`.
        published: from :func:`openfer.evaluation.published.published_table`.

    Returns:
        :data:`COLUMNS`, one row per run: its main selection, and its first task, the expression where it has one.
        What a run does not say is ``unknown``. ``oracle_accuracy`` takes the place of ``accuracy``, which is null then,
        of a run whose only epoch was chosen on the test set. ``wall_seconds`` sums the epochs of its history, without
        data loading before the first and validation after each; ``gpu_kwh`` is what the GPU in use took in these
        seconds, ``cpu_kwh`` what all processors of the machine took. All three are null where an
        epoch was not measured.
    """
    rows = []
    for entry in entries:
        of_entry: list[Any] = scores[scores["entry"] == entry.name].to_dict("records")
        for run in entry.runs:
            own = entry.of_run(run)
            rows.append(_row(run, own, of_entry if len(entry.runs) == 1 else scored(own.of_main(), published)))
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("run", ignore_index=True)


def _row(run: Run, entry: Entry, scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mine = [row for row in scores if row["main"]]
    score = next((row for row in mine if row["task"] == TASK), mine[0])
    accuracy = {"accuracy": score["accuracy"], "oracle_accuracy": float("nan")}
    if entry.selection == ORACLE:
        accuracy = {"accuracy": float("nan"), "oracle_accuracy": score["accuracy"]}
    plan, code = (_mapping(entry, name) for name in ("plan", "code"))
    said = {name: entry.said(name, entry.selection) for name in COLUMNS if name in entry.facts}
    return (
        dict.fromkeys(COLUMNS, UNKNOWN)
        | {name: score[name] for name in ("task", "published", "difference", "source", "differs", "made_by")}
        | accuracy
        | said
        | {
            "run": run.name,
            "entry": entry.name,
            "n_test": score["n"],
            "selection": entry.selection,
            "seed": score["seed"],
            SHA256: "none" if said.get("initialisation") == RANDOM else said.get(SHA256, UNKNOWN),
            "sampling": _sampling(_mapping(entry, "sampling")),
            "augmentation": augmentation(_mapping(entry, "images")),
            "device": plan.get("device", UNKNOWN),
            "precision": plan.get("precision", UNKNOWN),
            "wall_seconds": spent(run.history, "seconds"),
            "gpu_kwh": spent(run.history, "gpu_joules") / _JOULES_PER_KWH,
            "cpu_kwh": spent(run.history, "cpu_joules") / _JOULES_PER_KWH,
            "openfer": code.get("openfer", UNKNOWN),
            "commit": commit_of(entry),
        }
    )


def spent(history: pd.DataFrame | None, name: str) -> float:
    """Return what all epochs of a history took to train; NaN where one of them does not say.

    Args:
        history: stage, epoch, split, name, value.
        name: ``seconds``, ``gpu_joules`` or ``cpu_joules``.
    """
    if history is None:
        return float("nan")
    values = history.loc[history["name"] == name, "value"]
    epochs = len(history[["stage", "epoch"]].drop_duplicates())
    return float(values.sum()) if epochs and len(values) == epochs else float("nan")


def augmentation(images: Mapping[str, Any]) -> str:
    """Return in words what a training image goes through, from a run's image settings."""
    if not images:
        return UNKNOWN
    steps = [f"crop {images['crop']}", *(["flip"] if images["flip"] else [])]
    steps += [str(step["kind"]) for step in images["augment"]]
    return ", ".join(steps)


def _sampling(stages: Mapping[str, Mapping[str, Any]]) -> str:
    """Return in words how epochs are drawn: once where all stages do it alike, else stage by stage."""
    words = {stage: _words(settings) for stage, settings in stages.items()}
    if len(set(words.values())) > 1:
        return "; ".join(f"{stage}: {said}" for stage, said in words.items())
    return next(iter(words.values()), UNKNOWN)


def _words(settings: Mapping[str, Any]) -> str:
    more = {name: value for name, value in settings.items() if name != "kind" and value is not None}
    return " ".join([str(settings["kind"]), *(f"{name}={json.dumps(value)}" for name, value in more.items())])


def _mapping(entry: Entry, fact: str) -> Mapping[str, Any]:
    """Return a fact that is a mapping, of the entry's first run; an empty one where the run does not say."""
    value = entry.facts[fact].iloc[0] if fact in entry.facts else {}
    return value if isinstance(value, Mapping) else {}
