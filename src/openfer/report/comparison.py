"""Which methods differ: every two on the same faces, in words and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from openfer.evaluation.compare import compare, correct, faces_of, sentences
from openfer.evaluation.entries import ORACLE, Entry
from openfer.evaluation.leaderboard import TASK
from openfer.report.parts import (
    Columns,
    Section,
    heading,
    items,
    joined,
    paragraph,
    percent,
    points,
    probability,
    sortable,
    unfold,
    whole,
    word,
)

_COLUMNS: Columns = {
    "first": ("method", word),
    "second": ("against", word),
    "difference": ("difference, points", points),
    "low": ("from", points),
    "high": ("to", points),
    "verdict": ("verdict", word),
    "corrected": ("p, corrected", probability),
    "p_value": ("p", probability),
    "standard_error": ("standard error", percent),
    "of_faces": ("of faces", percent),
    "of_training": ("of training", percent),
    "seeds": ("seeds", whole),
    "n": ("n", whole),
    "people": ("people", whole),
    "selection": ("selection", word),
}


@dataclass(frozen=True)
class Family:
    """Methods that were tested on the same faces.

    Attributes:
        tested: name of the test set.
        names: of the entries, the reference first.
        comparisons: every two of them by selection, corrected together (:func:`openfer.evaluation.compare.correct`).
    """

    tested: str
    names: tuple[str, ...]
    comparisons: pd.DataFrame

    def level_with(self, name: str) -> dict[str, float]:
        """Return the methods that never differ significantly from one, with their least corrected p."""
        least: dict[str, float] = {}
        differ: set[str] = set()
        for pair in self.comparisons.to_dict("records"):
            if name in (pair["first"], pair["second"]):
                other = pair["second"] if pair["first"] == name else pair["first"]
                least[other] = min(least.get(other, 1.0), pair["corrected"])
                differ |= {other} if pair["distinguishable"] else set()
        return {other: p for other, p in least.items() if other not in differ}


def families(entries: Sequence[Entry]) -> list[Family]:
    """Compare methods with those that were tested on the same faces with the same labels; oracles are left out.

    Two are compared by a selection that is the main one of either, as another program may have its last epoch alone.
    """
    same: dict[tuple[str, frozenset[tuple[str, str]]], list[Entry]] = {}
    for entry in entries:
        faces = entry.main(TASK)
        if len(faces) and entry.selection != ORACLE:
            same.setdefault((entry.tested, faces_of(faces)), []).append(entry)
    return [_family(tested, methods) for (tested, _), methods in same.items()]


def comparison_section(made: Sequence[Family]) -> Section:
    """Return the comparisons with each family's reference in words, and those of every two as tables.

    Args:
        made: from :func:`families`.
    """
    parts = [
        paragraph(
            "Two methods are compared on the same faces, by their mean accuracy over the seeds that both have. The "
            "standard error has two parts: drawing the people of the test set again (the faces, where people are not "
            "known), and training again, which needs several seeds. The probability is Student's t; with one seed it "
            "is at least that of McNemar's exact test. It is corrected for the number of comparisons (Holm); below "
            "0.05 a difference is significant. The 95 % interval is not corrected. A difference that is not "
            "significant here may be significant on more faces."
        )
    ]
    for family in made:
        parts.append(heading(f"Compared on {family.tested}"))
        compared = family.comparisons
        if compared.empty:
            parts.append(paragraph(_not_compared(family)))
            continue
        against_reference = compared[compared["second"] == family.names[0]]
        told = sentences(against_reference.sort_values("difference", ascending=False, kind="stable"))
        parts.append(items(told))
        title = f"Every two of {len(family.names)} methods: {len(compared)} comparison{'s' * (len(compared) > 1)}"
        table = compared.assign(
            verdict=compared["distinguishable"].map({True: "significant", False: "not significant"})
        )
        parts.append(unfold(title, sortable(table, _COLUMNS, f"comparisons on {family.tested}")))
    return Section("comparison", "Comparison", joined(parts))


def _family(tested: str, methods: list[Entry]) -> Family:
    methods = sorted(methods, key=lambda entry: (entry.method != "baseline", entry.variant != "baseline"))
    main = {entry.name: entry.selection for entry in methods}
    answers = pd.concat([entry.predictions.assign(name=entry.name) for entry in methods])
    answers = answers[answers["task"] == TASK]
    made = []
    for selection in dict.fromkeys(main.values()):
        found = compare(answers[answers["selection"] == selection], list(main))
        made.append(found[(found["first"].map(main) == selection) | (found["second"].map(main) == selection)])
    compared = pd.concat([table for table in made if len(table)] or made[:1], ignore_index=True)
    return Family(tested, tuple(main), correct(compared))


def _not_compared(family: Family) -> str:
    if len(family.names) == 1:
        return f"{family.names[0]} alone was tested on these faces."
    return f"{', '.join(family.names)} share neither a selection nor a seed, so nothing is compared."
