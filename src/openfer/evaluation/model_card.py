"""The card of a trained model, in Markdown: what it is, what it learned from, whose terms hold, and what it is not."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from openfer.evaluation.fairness import LEAST, LEAST_PEOPLE
from openfer.evaluation.limits import STATEMENTS, thin_groups
from openfer.evaluation.metrics import METRICS, named
from openfer.evaluation.names import run_name
from openfer.evaluation.text_tables import markdown_table
from openfer.labels import AFFECT

_SHOWN_TASKS = 12
_UNKNOWN = "unknown"


def model_card(
    card: Mapping[str, Any], facts: Mapping[str, Any], metrics: Mapping[str, Mapping[str, float]], groups: pd.DataFrame
) -> str:
    """Write a model's card.

    Args:
        card: the model's identity, input and output: ``run, input, output, columns, licence``, and its extras by name.
        facts: of its checkpoint.
        metrics: ``<task>.<selection>`` -> ``accuracy, standard_error, macro_f1, nmi, n``; of a method that gives values
            also ``affect.<selection>`` -> metrics of values, ``valence_n`` and ``arousal_n``.
        groups: its scores by group (:func:`openfer.evaluation.fairness.fairness`).
    """
    name = run_name(facts["method"], facts["variant"])
    code = facts.get("code", {})
    return "\n\n".join(
        [
            f"# {name}, trained by openfer",
            f"A network that answers for {', '.join(facts['classes'])} from an aligned picture of a face, as a "
            f"probability for each class. It is the run `{card['run']}` of the method `{facts['method']}`, by openfer "
            f"{code.get('openfer', '')} at git commit {code.get('commit', _UNKNOWN)} ({code.get('state', _UNKNOWN)}).",
            "## In and out",
            _list({"input": card["input"], **_extras(card), "output": card["output"]}),
            _list({task: ", ".join(classes) for task, classes in list(facts["classes"].items())[:_SHOWN_TASKS]}),
            "## What it learned from",
            _list(
                {
                    "data": f"{', '.join(facts['datasets'])}, version {facts['data_version']}",
                    "training faces": facts["n_train"],
                    "first weights": facts["initialisation"],
                    "epoch": f"{facts['epoch']} of {facts['epochs']}, selection `{facts['selection']}`",
                    "seed": facts["seed"],
                }
            ),
            "## How well it answers",
            markdown_table(_scores(metrics, facts["selection"])),
            *_of_values(metrics, facts["selection"]),
            _thin(groups),
            "## Whose terms hold",
            _list(
                {
                    "data": "; ".join(facts["licences_of_data"]),
                    "first weights": _weights(facts),
                    "openfer and what training adds": card["licence"],
                }
            ),
            "The terms of data and first weights go on to hold for this model, whatever the licence of the code.",
            "## Limits",
            *STATEMENTS,
        ]
    ) + ("\n")


def _scores(metrics: Mapping[str, Mapping[str, float]], selection: str) -> pd.DataFrame:
    rows: list[dict[str, str]] = []
    for place, values in metrics.items():
        task, _, of_selection = place.rpartition(".")
        if of_selection == selection and "accuracy" in values and len(rows) < _SHOWN_TASKS:
            accuracy, error = 100 * values["accuracy"], 100 * values["standard_error"]
            rows.append(
                {
                    "task": task,
                    "accuracy %": f"{accuracy:.1f} ± {error:.1f}",
                    "macro-F1 %": f"{100 * values['macro_f1']:.1f}",
                    "n": f"{values['n']:.0f}",
                }
            )
    return pd.DataFrame(rows)


def _of_values(metrics: Mapping[str, Mapping[str, float]], selection: str) -> list[str]:
    """Return how well valence and arousal agree with the ratings, of a method that gives values."""
    values = metrics.get(f"affect.{selection}")
    if values is None:
        return []
    told = []
    for dimension in AFFECT:
        own = (METRICS[name] for name in named("values") if METRICS[name].dimension == dimension)
        scores = ", ".join(f"{metric.title} {values[metric.name]:.3f}" for metric in own)
        told.append(f"{dimension} {scores} (n = {values[f'{dimension}_n']:.0f})")
    return [f"Values against ratings: {'; '.join(told)}."]


def _thin(groups: pd.DataFrame) -> str:
    thin = thin_groups([groups])
    if thin.empty:
        return f"No group that was looked at has fewer than {LEAST} tested faces or {LEAST_PEOPLE} people."
    named = ", ".join(f"{row['by']} {row['group']} ({row['n']} of {row['people']})" for row in thin.to_dict("records"))
    few = f"Too few tested faces (below {LEAST}) or people (below {LEAST_PEOPLE}), in brackets, to say anything of"
    return f"{few}: {named}."


def _weights(facts: Mapping[str, Any]) -> str:
    if facts["initialisation"] == "random weights":
        return "none"
    return "; ".join(facts.get("licences_of_weights", [_UNKNOWN]))


def _extras(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: card[name] for name in ("landmarks",) if name in card}


def _list(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in values.items())
