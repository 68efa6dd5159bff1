"""Whether methods differ: every two on the same faces, corrected for their number, in words and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from openfer.evaluation.compare import SIGNIFICANCE, Comparison, compare_all, comparison_table, correct, sentences
from openfer.evaluation.entries import ORACLE, Entry
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.report.parts import (
    Format,
    Section,
    paragraph,
    points,
    probability,
    sortable,
    unfold,
    whole,
    word,
)

_COLUMNS: dict[str, tuple[str, Format]] = {
    "first": ("method", word),
    "second": ("against", word),
    "selection": ("selection", word),
    "seeds": ("seed", word),
    "difference": ("difference, points", points),
    "low": ("from", points),
    "high": ("to", points),
    "verdict": ("verdict", word),
    "corrected": ("p, corrected", probability),
    "p_value": ("McNemar p", probability),
    "p_people": ("p by person", probability),
    "only_first": ("only it is right", whole),
    "only_second": ("only the other", whole),
    "n": ("n", whole),
    "people": ("people", whole),
}


@dataclass(frozen=True)
class Family:
    """Methods that were tested on the same faces.

    Attributes:
        tested: what they were tested on.
        names: of the entries, the reference first.
        comparisons: of every two of them, with the same selection and seed, corrected together.
    """

    tested: str
    names: tuple[str, ...]
    comparisons: tuple[Comparison, ...]

    def level_with(self, name: str) -> dict[str, float]:
        """Return the methods that were compared with one and never found to differ, with the least corrected p."""
        least: dict[str, float] = {}
        for made in self.comparisons:
            if name in (made.first, made.second):
                other = made.second if made.first == name else made.first
                least[other] = min(least.get(other, 1.0), made.corrected)
        return {other: p for other, p in least.items() if p >= SIGNIFICANCE}


def families(entries: Sequence[Entry]) -> list[Family]:
    """Compare methods with those that were tested on the same faces with the same labels; oracles are left out.

    Two are compared by a selection that is the main one of either, as another program's may be of its last epoch alone.
    """
    same: dict[tuple[str, frozenset[tuple[str, str]]], list[Entry]] = {}
    for entry in entries:
        faces = entry.main(TASK)
        if len(faces) and entry.selection != ORACLE:
            labels = frozenset(zip(faces["sample_id"], faces["y_true"], strict=True))
            same.setdefault((entry.tested, labels), []).append(entry)
    return [_family(tested, methods) for (tested, _), methods in same.items()]


def comparison_section(made: Sequence[Family]) -> Section:
    """Return the comparisons with each family's reference in words, and those of every two as tables.

    Args:
        made: from :func:`families`.
    """
    parts = [
        paragraph(
            "Two methods are compared face by face: by McNemar's exact test, and where people are known by Student's "
            "t of the difference over its standard error in a bootstrap that draws people with all their images. The "
            "larger probability is corrected for the number of comparisons (Holm, over every two methods on these "
            "faces); below 0.05 it counts as a difference. Standard error and 95 % interval are of the difference, by "
            "person where people are known, and not corrected: an interval that excludes 0 may be of a pair that is "
            "indistinguishable after correction. Seeds are compared each with its like. What cannot be told apart "
            "here may differ on more faces."
        )
    ]
    for family in made:
        parts.append(f"<h3>Compared on {escape(family.tested)}</h3>")
        if not family.comparisons:
            parts.append(paragraph(_not_compared(family)))
            continue
        against_reference = [c for c in family.comparisons if c.second == family.names[0]]
        told = sentences(sorted(against_reference, key=lambda c: -c.difference))
        parts.append("<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in told) + "</ul>")
        title = f"Every two of {len(family.names)} methods: {len(family.comparisons)} comparisons"
        parts.append(unfold(title, sortable(_table(family), _COLUMNS, f"comparisons on {family.tested}")))
    return Section("comparison", "Comparison", "".join(parts))


def _family(tested: str, methods: list[Entry]) -> Family:
    methods = sorted(methods, key=lambda entry: (entry.method != "baseline", entry.variant != "baseline"))
    names = tuple(entry.name for entry in methods)
    selections = {entry.selection for entry in methods}
    # entries of one method and variant have names that tell them apart
    answers = pd.concat([entry.predictions.assign(method="", variant=entry.name) for entry in methods])
    answers = answers[answers["selection"].isin(selections) & (answers["task"] == TASK)]
    if len(names) < 2:
        return Family(tested, names, ())
    main = {entry.name: entry.selection for entry in methods}
    made = [c for c in compare_all(answers, names[0]) if c.selection in (main[c.first], main[c.second])]
    return Family(tested, names, tuple(correct(made)))


def _not_compared(family: Family) -> str:
    if len(family.names) == 1:
        return f"{family.names[0]} alone was tested on these faces."
    return f"{', '.join(family.names)} share neither a selection nor a seed, so nothing is compared."


def _table(family: Family) -> pd.DataFrame:
    table = comparison_table(family.comparisons)
    alike = table["seed_first"] == table["seed_second"]
    both = table["seed_first"].astype(str) + ", " + table["seed_second"].astype(str)
    return table.assign(
        verdict=table["distinguishable"].map({True: "differ", False: "indistinguishable"}),
        people=table["people"].where(table["people"] > 0),
        p_people=table["p_people"].astype(float),
        seeds=table["seed_first"].astype(str).where(alike, both),
    )
