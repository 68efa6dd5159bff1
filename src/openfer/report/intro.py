"""The first screen: what was compared, whether a method wins, how sure that is; and the limits."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from openfer.evaluation.entries import ELSEWHERE, UNKNOWN, Entry
from openfer.evaluation.fairness import LEAST, LEAST_PEOPLE
from openfer.evaluation.leaderboard import TASK, honest, tested_on
from openfer.evaluation.limits import STATEMENTS, thin_groups
from openfer.report.comparison import Family
from openfer.report.groups import group_tables
from openfer.report.parts import (
    Columns,
    Section,
    heading,
    joined,
    paragraph,
    percent,
    probability,
    sortable,
    unfold,
    whole,
    word,
)

_RENDERED, _CHOSEN = "synthetic_", "best_val"

LICENCE = "Apache-2.0"
"""Of openfer, and of what training adds to data and first weights."""


def leads(scores: pd.DataFrame, made: Sequence[Family]) -> list[list[str]]:
    """Return three sentences for each test set: what was compared, whether a method wins, and how sure that is.

    Args:
        scores: the leaderboard.
        made: the comparisons.
    """
    ranked = honest(scores)
    ranked = ranked[ranked["main"] & (ranked["task"] == TASK)]
    return [_lead(ranked[ranked["tested"] == tested], made) for tested in tested_on(ranked)]


def cautions(entries: Sequence[Entry]) -> list[str]:
    """Return what a reader must know before any number: rendered faces, one seed, unfinished training."""
    told = []
    rendered = {name for entry in entries for name in entry.facts["datasets"].iloc[0] if name.startswith(_RENDERED)}
    if rendered:
        told.append(
            f"Faces of {', '.join(sorted(rendered))} are rendered: results say nothing about photographs of people."
        )
    trained = [entry for entry in entries if entry.made_by != ELSEWHERE]
    if trained and all(entry.facts["seed"].nunique() == 1 for entry in trained):
        told.append("Each method was trained once: the effect of another seed is not known.")
    ended = [entry.name for entry in trained if _chose_its_last_epoch(entry)]
    if ended:
        told.append(
            f"The last epoch was the best one for {', '.join(ended)}: longer training may improve it. Methods differ "
            "in epochs, faces per epoch and image size (see Ledger)."
        )
    return told


def terms(entries: Sequence[Entry]) -> list[str]:
    """Return the terms of the data whose faces the page holds, but for those of the public domain."""
    found = sorted({entry.said("licences_of_data") for entry in entries} - {"CC0-1.0"})
    return ["of some runs unknown" if each == UNKNOWN else each for each in found]


def size(entries: Sequence[Entry], studies: int) -> str:
    """Return how much the page is made of."""
    runs = sum(len(entry.runs) for entry in entries)
    more = f" and {studies} {'study' if studies == 1 else 'studies'}" if studies else ""
    return (
        f"This page is made of {len(entries)} methods from {runs} runs{more}. All numbers are computed from stored "
        "predictions. The epoch was chosen on validation faces unless a table says otherwise."
    )


def limits(entries: Sequence[Entry]) -> Section:
    """Return what the numbers are not, which groups are too small, and the licences of data, weights and models."""
    thin = thin_groups(group_tables(entries))
    small = f"{LEAST} tested faces or {LEAST_PEOPLE} people (faces, where people are not known)"
    few = [paragraph(f"No group here has fewer than {small}.")]
    if len(thin):
        columns: Columns = {
            "by": ("by", word),
            "group": ("group", word),
            "n": ("n", whole),
            "people": ("people", whole),
        }
        table = sortable(thin, columns, "thin groups", sorted_by=("n", "ascending"))
        said = paragraph(f"{len(thin)} groups have fewer than {small}; they are not ranked.")
        few = [said, unfold("The small groups", table)]
    chain = pd.DataFrame([_chain(entry) for entry in entries])
    parts = [
        *map(paragraph, STATEMENTS),
        *(heading("Small groups"), *few, heading("Licences")),
        paragraph(
            "The licences of data and first weights also hold for the model: a model trained on images for research "
            "only is for research only, whatever the licence of the code."
        ),
        sortable(chain, {str(name): (str(name), word) for name in chain}, "licences of data, first weights and model"),
    ]
    return Section("limits", "Limits and licences", joined(parts))


def _lead(ranked: pd.DataFrame, made: Sequence[Family]) -> list[str]:
    enough = ranked[ranked["n"] >= LEAST]
    if enough.empty:
        n, tested = ranked["n"].max(), ranked["tested"].iloc[0]
        return [f"{tested} has n = {n:,} tested faces.", f"Fewer than {LEAST} faces are not ranked."]
    first = enough.iloc[0]
    same = ranked[ranked["n"] == first["n"]]  # methods with other test faces are not ranked with it
    people = "" if pd.isna(first["people"]) else f" of {first['people']:,.0f} people"
    count = f"{len(same)} methods are compared" if len(same) > 1 else f"{first['entry']} alone is tested"
    compared = f"{count} on {first['n']:,} faces{people} of {first['tested']}, by accuracy."
    if apart := len(ranked) - len(same):
        compared += f" {apart} more {'was' if apart == 1 else 'were'} tested on another number of faces."
    scored = f"{percent(first['accuracy'])} %"
    if pd.notna(first["low"]):
        scored += f" (95 % interval {percent(first['low'])} to {percent(first['high'])})"
    if len(same) == 1:
        return [compared, f"Its accuracy is {scored}."]
    return [compared, *_verdict(str(first["entry"]), scored, [each for each in made if each.tested == first["tested"]])]


def _verdict(first: str, scored: str, made: Sequence[Family]) -> list[str]:
    """Say whether the method with the highest accuracy wins, and how sure that is."""
    level = {name: p for family in made for name, p in family.level_with(first).items()}
    pairs = [pair for family in made for pair in family.comparisons.to_dict("records") if first in _names(pair)]
    if not pairs:
        return [f"{first} has the highest accuracy, {scored}.", "Nothing is compared with it: no seed is shared."]
    nearest = min(pairs, key=lambda pair: abs(pair["difference"]))
    sign = 1 if nearest["first"] == first else -1
    low, high = sorted((sign * nearest["low"], sign * nearest["high"]))
    several = f" after correction for {count} comparisons" if (count := nearest["comparisons"]) > 1 else ""
    seeds = "one seed, so without the error of training" if nearest["seeds"] == 1 else f"{nearest['seeds']} seeds"
    sure = (
        f"The closest method is {nearest['second' if sign == 1 else 'first']}, "
        f"{100 * sign * nearest['difference']:.1f} points lower (95 % interval {100 * low:.1f} to {100 * high:.1f}, "
        f"p = {probability(nearest['corrected'])}{several}, {seeds})."
    )
    if not level:
        return [f"{first} wins: its accuracy, {scored}, is significantly higher than that of every other method.", sure]
    others = ", ".join(f"{name} (p = {probability(p)})" for name, p in sorted(level.items(), key=lambda each: -each[1]))
    return [
        f"No method wins: {first} has the highest accuracy, {scored}, but it is not significantly higher than that of "
        f"{others}.",
        sure,
    ]


def _names(pair: dict[Any, Any]) -> tuple[str, str]:
    return pair["first"], pair["second"]


def _chose_its_last_epoch(entry: Entry) -> bool:
    own = entry.facts[entry.facts["selection"] == entry.selection]
    return entry.selection == _CHOSEN and "epochs" in own and bool((own["epoch"] == own["epochs"]).any())


def _chain(entry: Entry) -> dict[str, str]:
    weights = entry.said("initialisation")
    return {
        "method": entry.name,
        "data": entry.said("datasets"),
        "licences of the data": entry.said("licences_of_data"),
        "first weights": weights,
        "licences of the first weights": "none" if weights == "random weights" else entry.said("licences_of_weights"),
        "model": UNKNOWN if entry.made_by == ELSEWHERE else LICENCE,
    }
