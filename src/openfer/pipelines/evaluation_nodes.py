"""Nodes that read predictions and histories, never a model."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from openfer.io.runs import Run

Facts = Sequence[Mapping[str, Any]]
"""One mapping per selection: what must be known of a run before its numbers are printed."""


def evaluate(predictions: pd.DataFrame, facts: Facts) -> dict[str, Any]:
    """Score one method; the per-class table and the first task's confusion matrix are of its main selection."""
    from openfer.evaluation.calibration import reliability
    from openfer.evaluation.figures import confusion_picture, reliability_picture
    from openfer.evaluation.names import run_name
    from openfer.evaluation.predictions import classified
    from openfer.evaluation.results_table import results_table
    from openfer.evaluation.scores import confusion, per_class, score_runs

    runs, results = score_runs(predictions), results_table(predictions, facts)
    predictions = classified(predictions)
    tasks = list(dict.fromkeys(predictions["task"]))
    main = predictions[predictions["selection"] == main_selection(facts)]
    per_task = {task: main[main["task"] == task] for task in tasks}
    sure = {task: reliability(table) for task, table in per_task.items()}
    of_classes = [per_class(table).reset_index().assign(task=task) for task, table in per_task.items()]
    confused = confusion(per_task[tasks[0]])
    name = run_name(str(main["method"].iloc[0]), str(main["variant"].iloc[0]))
    return {
        "metrics_json": _metrics(runs),
        "results_table": results,
        "per_class_table": pd.concat(of_classes, ignore_index=True),
        "reliability_table": pd.concat([table.assign(task=task) for task, table in sure.items()], ignore_index=True),
        "reliability_picture": reliability_picture({name: sure[tasks[0]]}, tasks[0]),
        "confusion_picture": confusion_picture(confused, tasks[0]),
    }


def distances(features: pd.DataFrame) -> pd.DataFrame:
    """Return the compactness of the classes in the feature space of one method."""
    from openfer.evaluation.distances import class_distances

    return class_distances(features)


def compare(runs: Mapping[str, Run]) -> dict[str, Any]:
    """Compare methods on the faces that all were tested on.

    Args:
        runs: one or more of each method, by slug; the first one's method is the reference.

    Raises:
        DataError: if two methods were tested on other faces.
    """
    from openfer.evaluation.compare import compare as compared
    from openfer.evaluation.compare import correct, sentences
    from openfer.evaluation.figures import recall_picture
    from openfer.evaluation.names import run_name
    from openfer.evaluation.results_table import to_markdown

    main = main_predictions(runs.values())
    first_task = main[main["task"] == main["task"].iloc[0]]
    names = [run_name(*pair) for pair in zip(first_task["method"], first_task["variant"], strict=True)]
    comparisons = correct(compared(first_task.assign(name=names), list(dict.fromkeys(names))))
    words = sentences(comparisons[comparisons["second"] == names[0]])  # the table has all pairs
    results = results_of(list(runs.values()))
    return {
        "results_table": results,
        "comparison_table": comparisons,
        "sentences_json": words,
        "results_text": to_markdown(results, words),
        "recall_picture": recall_picture(first_task),
    }


def results_of(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the results table of runs: one line a method, variant, selection and task, seeds and folds together.

    A seed that lacks a fold of another seed is left out: its mean would be one of other faces.
    """
    from openfer.evaluation.results_table import results_table

    tables = [run.predictions for run in runs]
    folds: dict[str, dict[int, set[int]]] = {}
    for table in tables:
        first = table.iloc[0]
        folds.setdefault(str(first["variant"]), {}).setdefault(int(first["seed"]), set()).update(table["fold"])
    whole = {
        (variant, seed)
        for variant, own in folds.items()
        for seed, tested in own.items()
        if tested == max(own.values(), key=len)
    }
    kept = [table for table in tables if (str(table["variant"].iloc[0]), int(table["seed"].iloc[0])) in whole]
    together = pd.concat(kept, ignore_index=True)
    return results_table(together, [fact for run in runs for fact in run.facts])


def main_predictions(runs: Iterable[Run]) -> pd.DataFrame:
    """Return the predictions of the main selection of each run."""
    tables = [(run.predictions, run.main_selection) for run in runs]
    return pd.concat([table[table["selection"] == selection] for table, selection in tables], ignore_index=True)


def by_group(predictions: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Score one method on people, challenge lists, occluders and all other groups of its datasets' faces."""
    from openfer.evaluation.fairness import fairness
    from openfer.evaluation.groups import together

    scores, gaps = fairness(predictions, together(groups))
    return {"groups_table": scores, "gaps_table": gaps}


def group_figure(groups: pd.DataFrame, facts: Facts) -> Any:
    """Return the accuracy of the main selection by group, for the first task, as a figure."""
    from openfer.evaluation.figures import group_bars_picture
    from openfer.evaluation.names import run_name

    main = groups[groups["selection"] == main_selection(facts)]
    own = main[main["task"] == main["task"].iloc[0]]
    return group_bars_picture(own.assign(name=run_name(str(own["method"].iloc[0]), str(own["variant"].iloc[0]))))


def cross_dataset(runs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the scores of runs on datasets that they did not train on, beside their own.

    Args:
        runs: ``predictions``, ``facts`` and ``elsewhere`` of each run, by slug.
    """
    from openfer.evaluation.cross_dataset import cross_dataset as matrix
    from openfer.evaluation.cross_dataset import own_and_elsewhere

    parts = []
    for run in runs.values():
        own, facts = run["predictions"], run["facts"]
        trained = next(fact["datasets"] for fact in facts if fact["main_selection"])
        main = own[own["selection"] == main_selection(facts)]
        parts.append(own_and_elsewhere(main[main["task"] == main["task"].iloc[0]], run["elsewhere"], trained))
    return matrix(pd.concat(parts, ignore_index=True))


def cross_dataset_figure(table: pd.DataFrame) -> Any:
    """Return the picture of that table."""
    from openfer.evaluation.figures import cross_dataset_picture

    return cross_dataset_picture(table)


def curves(history: pd.DataFrame) -> Any:
    """Return the training curves of one method."""
    from openfer.evaluation.figures import training_curves

    return training_curves(history)


def all_curves(runs: Mapping[str, Run]) -> Any:
    """Return the training curves of several runs in the same panels."""
    from openfer.evaluation.figures import training_curves

    return training_curves(pd.concat([run.history for run in runs.values()], ignore_index=True))


def grad_cam_picture(table: pd.DataFrame) -> Any:
    """Return the picture of where one method looks."""
    from openfer.evaluation.figures import grad_cam_sheet

    return grad_cam_sheet(table)


def grad_cam_comparison(maps: Mapping[str, pd.DataFrame]) -> Any:
    """Return the picture of the Grad-CAM maps of several methods on the same faces.

    Args:
        maps: :data:`openfer.schemas.GRAD_CAM` of one run a method, by slug.
    """
    from openfer.evaluation.figures import grad_cam_comparison as picture

    return picture(list(maps.values()))


def tsne(runs: Mapping[str, Run], features: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the t-SNE coordinates of the tested faces in each method's features.

    Args:
        runs: one a method, by slug.
        features: :data:`openfer.schemas.FEATURES` of each, by slug.
    """
    from openfer.evaluation.embedding import embedding_table
    from openfer.evaluation.names import run_name

    named = {}
    for slug, run in runs.items():
        main = main_predictions([run])
        first = main[main["task"] == main["task"].iloc[0]]
        named[run_name(str(first["method"].iloc[0]), str(first["variant"].iloc[0]))] = (features[slug], first)
    return embedding_table(named)


def tsne_figure(embedding: pd.DataFrame) -> Any:
    """Return the figure of that table."""
    from openfer.evaluation.figures import tsne_picture

    return tsne_picture(embedding)


def main_selection(facts: Facts) -> str:
    """Return the selection that a run reports first."""
    return next(str(fact["selection"]) for fact in facts if fact["main_selection"])


def _metrics(runs: pd.DataFrame) -> dict[str, Any]:
    """Return scores by ``<task>.<selection>``; those of valence and arousal by ``affect.<selection>``."""
    from openfer.evaluation.metrics import OF_FACES, named
    from openfer.labels import AFFECT

    faces = [*named(*OF_FACES), "standard_error", "n"]
    values = [name for name in (*(f"{name}_n" for name in AFFECT), *named("values")) if name in runs]
    found = {f"{run['task']}.{run['selection']}": run[faces] for _, run in runs[runs["n"] > 0].iterrows()}
    if values:
        regressing = runs[runs[values[0]].notna()]
        found |= {f"affect.{run['selection']}": run[values] for _, run in regressing.iterrows()}
    return {place: scores.astype(float).to_dict() for place, scores in found.items()}


def masked_shares(masked: pd.DataFrame) -> pd.DataFrame:
    """Return the share of masked faces by epoch, class and noise in the labels."""
    from openfer.evaluation.masking import masked_shares as shares

    return shares(masked)


def masked_figure(table: pd.DataFrame) -> Any:
    """Return the matplotlib figure of that table."""
    from openfer.evaluation.figures import masked_picture

    return masked_picture(table)
