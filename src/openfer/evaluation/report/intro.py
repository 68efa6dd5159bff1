"""The first screen, short, and the limits, whole."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from openfer.evaluation.entries import ELSEWHERE, UNKNOWN, Entry
from openfer.evaluation.fairness import LEAST, LEAST_PEOPLE
from openfer.evaluation.leaderboard import TASK, honest, tested_on
from openfer.evaluation.limits import NOT_AN_EMOTION, STATEMENTS, thin_groups
from openfer.evaluation.report.comparison import Family
from openfer.evaluation.report.groups import group_tables
from openfer.evaluation.report.parts import Section, paragraph, percent, probability, sortable, unfold, whole, word

_RENDERED, _CHOSEN = "synthetic_", "best_val"

LICENCE = "Apache-2.0"
"""Of openfer, and of what training adds to data and first weights."""


def intro(entries: Sequence[Entry], scores: pd.DataFrame, made: Sequence[Family], studies: int) -> str:
    """Return what a reader sees first: what this is, who leads where, and what it does not say.

    Args:
        entries: all methods.
        scores: the leaderboard.
        made: who was compared with whom.
        studies: how many there are.
    """
    ranked = honest(scores)
    ranked = ranked[ranked["main"] & (ranked["task"] == TASK)]
    leads = []
    for tested in tested_on(ranked):
        leads.append(f"<li>{escape(_lead(ranked[ranked['tested'] == tested], made))}</li>")
    runs = sum(len(entry.runs) for entry in entries)
    cautions = "".join(f"<li>{escape(words)}</li>" for words in _cautions(entries))
    return (
        "<h1>Facial expression recognition, compared</h1>"
        f'<p class="lead">{len(entries)} methods from {runs} runs{_and_studies(studies)}, scored by one program from '
        "the predictions that the runs have left. Every number names its run, or its method, whose runs the ledger "
        "names; the epoch was chosen on validation faces unless a table says "
        f"otherwise.</p><ul>{''.join(leads)}{cautions}</ul>"
        f'<div class="limits"><p>{escape(NOT_AN_EMOTION)} <a href="#limits">All limits</a></p></div>'
        f"{_whose_faces(entries)}"
    )


def _cautions(entries: Sequence[Entry]) -> list[str]:
    """Return what a reader must know before any number: whose faces, how many seeds, and who had not finished."""
    told = []
    rendered = {name for entry in entries for name in entry.facts["datasets"].iloc[0] if name.startswith(_RENDERED)}
    if rendered:
        told.append(
            f"Faces of {', '.join(sorted(rendered))} are rendered: their people are made up, and results say nothing "
            "about photographs."
        )
    trained = [entry for entry in entries if entry.made_by != ELSEWHERE]
    if trained and all(entry.facts["seed"].nunique() == 1 for entry in trained):
        told.append("Each method was trained once: how far another seed would take it is not known here.")
    ended = [entry.name for entry in trained if _chose_its_last_epoch(entry)]
    if ended:
        told.append(
            "Recipes differ in epochs, faces per epoch and size of images (ledger). The epoch chosen was the last one "
            f"of {', '.join(ended)}, which may have had more to learn."
        )
    return told


def _chose_its_last_epoch(entry: Entry) -> bool:
    own = entry.facts[entry.facts["selection"] == entry.selection]
    return entry.selection == _CHOSEN and "epochs" in own and bool((own["epoch"] == own["epochs"]).any())


def limits(entries: Sequence[Entry]) -> Section:
    """Return what the numbers are not, which groups are thin, and whose terms hold."""
    thin = thin_groups(group_tables(entries))
    if len(thin):
        columns = {"by": ("by", word), "group": ("group", word), "n": ("n", whole), "people": ("people", whole)}
        small = f"{LEAST} tested faces or {LEAST_PEOPLE} people (faces, where nobody is known)"
        few = f"<p>{len(thin)} groups have fewer than {small}; nothing is ranked by them.</p>"
        few += unfold("The thin groups", sortable(thin, columns, "thin groups", sorted_by=("n", "ascending")))
    else:
        few = paragraph(f"No group that is reported here has fewer than {LEAST} tested faces or {LEAST_PEOPLE} people.")
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


def _lead(ranked: pd.DataFrame, made: Sequence[Family]) -> str:
    """Say who has the highest accuracy on one test set, and who cannot be told from that."""
    enough = ranked[ranked["n"] >= LEAST]
    if enough.empty:
        most = ranked["n"].max()
        return f"On {ranked['tested'].iloc[0]}, n = {most:,}: fewer than {LEAST} faces, so nothing is ranked."
    first = enough.iloc[0]
    others = int((ranked["n"] == first["n"]).sum()) - 1  # who was tested on other faces is not ranked with it
    said = f"On {first['tested']}, n = {first['n']:,}: "
    scored = f"{percent(first['accuracy'])} %"
    if pd.notna(first["low"]):
        scored += f" (95 % interval {percent(first['low'])} to {percent(first['high'])})"
    if not others:
        return f"{said}{first['entry']} alone, {scored}."
    families = [family for family in made if family.tested == first["tested"]]
    level = {name: p for family in families for name, p in family.level_with(first["entry"]).items()}
    told = ""
    if level:
        named = ", ".join(
            f"{name} (p = {probability(p)})" for name, p in sorted(level.items(), key=lambda each: -each[1])
        )
        told = f" Indistinguishable from it on these faces after correction for all comparisons: {named}."
    told += " The highest of several is too high on average, as it was picked for being that."
    apart = len(ranked) - others - 1
    told += f" {apart} more {'was' if apart == 1 else 'were'} tested on another number of faces." if apart else ""
    return f"{said}of {others + 1}, {first['entry']} has the highest accuracy, {scored}.{told}"


def _and_studies(count: int) -> str:
    return f" and {count} {'study' if count == 1 else 'studies'}" if count else ""


def _chain(entry: Entry) -> dict[str, str]:
    return {
        "method": entry.name,
        "data": entry.said("datasets"),
        "licences of the data": entry.said("licences_of_data"),
        "first weights": entry.said("initialisation"),
        "licences of the first weights": _of_weights(entry),
        "model": UNKNOWN if entry.made_by == ELSEWHERE else LICENCE,
    }


def _of_weights(entry: Entry) -> str:
    return "none" if entry.said("initialisation") == "random weights" else entry.said("licences_of_weights")


def _whose_faces(entries: Sequence[Entry]) -> str:
    """Return a warning where the page holds pictures that may not be passed on."""
    terms = sorted({entry.said("licences_of_data") for entry in entries} - {"CC0-1.0"})
    if not terms:
        return ""
    terms = ["of some runs unknown" if each == UNKNOWN else each for each in terms]
    return (
        '<div class="limits"><p><strong>Do not pass this page on</strong> before you have read the terms of the '
        f"data: it holds some of their faces. They are: {escape('; '.join(terms))}.</p></div>"
    )
