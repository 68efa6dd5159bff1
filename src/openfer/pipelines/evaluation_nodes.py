"""Nodes that read predictions and histories, never a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

Facts = Sequence[Mapping[str, Any]]
"""One mapping per selection: what must be known of a run before its numbers are printed."""


def evaluate(predictions: pd.DataFrame, facts: Facts) -> dict[str, Any]:
    """Score one method; the per-class table and the first task's confusion matrix are of its main selection."""
    from openfer.evaluation.calibration import reliability
    from openfer.evaluation.figures import confusion_picture, confusion_plot, reliability_picture, reliability_plot
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
    return {
        "metrics": _metrics(runs),
        "results": results,
        "per_class": pd.concat(of_classes, ignore_index=True),
        "reliability": pd.concat([table.assign(task=task) for task, table in sure.items()], ignore_index=True),
        "reliability_plot": reliability_plot(sure[tasks[0]], tasks[0]),
        "reliability_picture": reliability_picture(sure[tasks[0]], tasks[0]),
        "confusion_plot": confusion_plot(confused, tasks[0]),
        "confusion_picture": confusion_picture(confused, tasks[0]),
    }


def distances(features: pd.DataFrame) -> pd.DataFrame:
    """Return how tight the classes lie in the feature space of one method."""
    from openfer.evaluation.distances import class_distances

    return class_distances(features)


def compare(*tables: Any) -> dict[str, Any]:
    """Put methods beside each other, on the faces that all were tested on.

    Args:
        *tables: predictions and facts of each method; the first one is the reference.
    """
    from openfer.evaluation.compare import compare_all, comparison_table, sentences
    from openfer.evaluation.figures import per_class_recall_plot
    from openfer.evaluation.results_table import results_table, to_markdown

    predictions, facts = list(tables[::2]), list(tables[1::2])
    together = pd.concat(predictions, ignore_index=True)
    known = [fact for each in facts for fact in each]
    results = results_table(together, known)
    main = pd.concat(
        [table[table["selection"] == main_selection(fact)] for table, fact in zip(predictions, facts, strict=True)]
    )
    comparisons = compare_all(main, str(predictions[0]["variant"].iloc[0]))
    words = sentences([c for c in comparisons if c.second == comparisons[0].second])  # the table has all pairs
    return {
        "results": results,
        "comparison": comparison_table(comparisons),
        "sentences": words,
        "report": to_markdown(results, words),
        "recall_plot": per_class_recall_plot(main),
    }


def by_group(datasets: Sequence[str], predictions: pd.DataFrame, *groups: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Score one method on people, challenge lists, occluders and whatever else its datasets group their faces by."""
    from openfer.evaluation.fairness import fairness
    from openfer.evaluation.groups import together

    scores, gaps = fairness(predictions, together(dict(zip(datasets, groups, strict=True))))
    return {"groups": scores, "gaps": gaps}


def group_figures(groups: pd.DataFrame, gaps: pd.DataFrame, facts: Facts) -> dict[str, Any]:
    """Return the accuracy of the main selection by group, as figures for the browser and for paper."""
    from openfer.evaluation.figures import group_bars_picture, group_bars_plot

    main = [table[table["selection"] == main_selection(facts)] for table in (groups, gaps)]
    scores, apart = (table[table["task"] == table["task"].iloc[0]] if len(table) else table for table in main)
    return {"groups_plot": group_bars_plot(scores, apart), "groups_picture": group_bars_picture(scores, apart)}


def cross_dataset(*tables: Any) -> pd.DataFrame:
    """Return how methods do on datasets that they did not train on, beside their own.

    Args:
        *tables: predictions, facts and predictions elsewhere of each method.
    """
    from openfer.evaluation.cross_dataset import cross_dataset as matrix
    from openfer.evaluation.cross_dataset import own_and_elsewhere

    parts = []
    for own, facts, elsewhere in (tables[start : start + 3] for start in range(0, len(tables), 3)):
        trained = next(fact["datasets"] for fact in facts if fact["main_selection"])
        main = own[own["selection"] == main_selection(facts)]
        parts.append(own_and_elsewhere(main[main["task"] == main["task"].iloc[0]], elsewhere, trained))
    return matrix(pd.concat(parts, ignore_index=True))


def cross_dataset_figure(table: pd.DataFrame) -> Any:
    """Return the picture of that table."""
    from openfer.evaluation.figures import cross_dataset_picture

    return cross_dataset_picture(table)


def curves(history: pd.DataFrame) -> Any:
    """Return the training curves of one method."""
    from openfer.evaluation.figures import training_curves

    return training_curves(history)


def all_curves(*histories: pd.DataFrame) -> Any:
    """Return the training curves of several methods in the same panels."""
    from openfer.evaluation.figures import training_curves

    return training_curves(pd.concat(histories, ignore_index=True))


def grad_cam_picture(table: pd.DataFrame) -> Any:
    """Return the picture of where one method looks."""
    from openfer.evaluation.figures import grad_cam_sheet

    return grad_cam_sheet(table)


def grad_cam_comparison(*tables: pd.DataFrame) -> Any:
    """Return the picture of where several methods look on the same faces."""
    from openfer.evaluation.figures import grad_cam_comparison as picture

    return picture(list(tables))


def tsne(*tables: Any) -> pd.DataFrame:
    """Return where the tested faces lie in the plane of each method's features.

    Args:
        *tables: features, predictions and facts of each method.
    """
    from openfer.evaluation.embedding import embedding_table
    from openfer.evaluation.names import run_name

    runs = {}
    for features, predictions, facts in zip(tables[::3], tables[1::3], tables[2::3], strict=True):
        main = predictions[predictions["selection"] == main_selection(facts)]
        first = main[main["task"] == main["task"].iloc[0]]
        runs[run_name(str(first["method"].iloc[0]), str(first["variant"].iloc[0]))] = (features, first)
    return embedding_table(runs)


def tsne_figures(embedding: pd.DataFrame) -> tuple[Any, Any]:
    """Return the figures of that table, of plotly and of matplotlib."""
    from openfer.evaluation.figures import tsne_picture, tsne_plot

    return tsne_plot(embedding), tsne_picture(embedding)


def main_selection(facts: Facts) -> str:
    """Return the name of the selection that a run reports first."""
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
