"""The first screen, short, and the limits, whole."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from openfer.evaluation.entries import UNKNOWN, Entry
from openfer.evaluation.leaderboard import TASK, honest, tested_on
from openfer.evaluation.limits import FEW, NOT_AN_EMOTION, STATEMENTS, thin_groups
from openfer.evaluation.report.parts import Section, paragraph, percent, sortable, unfold, whole, word

LICENCE = "Apache-2.0"
"""Of openfer, and of what training adds to data and first weights."""


def intro(entries: Sequence[Entry], scores: pd.DataFrame) -> str:
    """Return what a reader sees first: what this is, who leads where, and what it does not say."""
    ranked = honest(scores)
    ranked = ranked[ranked["main"] & (ranked["task"] == TASK)]
    leads = []
    for tested in tested_on(ranked):
        first = ranked[ranked["tested"] == tested].iloc[0]
        leads.append(
            f"<li>On {escape(tested)}, n = {first['n']:,}: {escape(first['entry'])} has the highest accuracy, "
            f"{percent(first['accuracy'])} % (95 % interval {percent(first['low'])} to {percent(first['high'])}), of "
            f"{int((ranked['tested'] == tested).sum())}.</li>"
        )
    runs = sum(len(entry.runs) for entry in entries)
    return (
        "<h1>Facial expression recognition, compared</h1>"
        f'<p class="lead">{len(entries)} methods from {runs} runs, scored by one program from the predictions that the '
        "runs have left. Every number names its run, and the epoch was chosen on validation faces unless a table says "
        f"otherwise.</p><ul>{''.join(leads)}</ul>"
        f'<div class="limits"><p>{escape(NOT_AN_EMOTION)} <a href="#limits">All limits</a></p></div>'
        f"{_whose_faces(entries)}"
    )


def limits(entries: Sequence[Entry], groups: Sequence[pd.DataFrame]) -> Section:
    """Return what the numbers are not, which groups are thin, and whose terms hold.

    Args:
        entries: all methods.
        groups: accuracy by group of their runs.
    """
    thin = thin_groups(groups)
    if len(thin):
        columns = {"by": ("by", word), "group": ("group", word), "n": ("n", whole)}
        few = f"<p>{len(thin)} groups have fewer than {FEW} tested faces; nothing is ranked by them.</p>"
        few += unfold("The thin groups", sortable(thin, columns, "thin groups", sorted_by=("n", "ascending")))
    else:
        few = paragraph(f"No group that is reported here has fewer than {FEW} tested faces.")
    chain = pd.DataFrame([_chain(entry) for entry in entries])
    columns = {str(name): (str(name), word) for name in chain}
    body = (
        "".join(map(paragraph, STATEMENTS))
        + f"<h3>Thin groups</h3>{few}"
        + "<h3>Whose terms hold</h3>"
        + paragraph(
            "Data and first weights bring their terms along: a model that learned from images for research alone is "
            "for research alone, whatever the licence of the code."
        )
        + sortable(chain, columns, "licences of data, first weights and model")
    )
    return Section("limits", "Limits and licences", body)


def _chain(entry: Entry) -> dict[str, str]:
    return {
        "method": entry.name,
        "data": entry.said("datasets"),
        "licences of the data": entry.said("licences_of_data"),
        "first weights": entry.said("initialisation"),
        "licences of the first weights": _of_weights(entry),
        "model": LICENCE,
    }


def _of_weights(entry: Entry) -> str:
    return "none" if entry.said("initialisation") == "random weights" else entry.said("licences_of_weights")


def _whose_faces(entries: Sequence[Entry]) -> str:
    """Return a warning where the page holds pictures that may not be passed on."""
    terms = sorted({entry.said("licences_of_data") for entry in entries} - {"CC0-1.0", UNKNOWN})
    if not terms:
        return ""
    return (
        '<div class="limits"><p><strong>Do not pass this page on</strong> before you have read the terms of the '
        f"data: it holds some of their faces. They are: {escape('; '.join(terms))}.</p></div>"
    )
