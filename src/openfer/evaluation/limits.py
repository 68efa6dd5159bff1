"""What every report, model card and README of openfer says of its limits."""

from collections.abc import Iterable

import pandas as pd

from openfer.evaluation.fairness import LEAST, LEAST_PEOPLE
from openfer.evaluation.groups import ALL

NOT_AN_EMOTION = (
    "A facial expression is not an emotion. The labels are what annotators saw, or what people were asked to show; "
    "how somebody feels cannot be read off a face, and the same expression means different things to different people, "
    "in different cultures and situations."
)

NUMBERS = (
    "A number holds for the faces that it was measured on. One seed says nothing of training noise; the intervals are "
    "of drawing the test's people again, with all their images, or its faces one by one where nobody knows whose they "
    "are. Faces that openfer renders are no people, and results on them say nothing about photographs."
)

RESTRICTED = (
    "Some uses are forbidden or regulated. In the European Union, Article 5(1)(f) of the AI Act (Regulation (EU) "
    "2024/1689) prohibits systems that infer the emotions of people in the workplace and in education, except for "
    "medical or safety reasons (since 2 February 2025); Article 50(3) has those who deploy emotion recognition "
    "elsewhere inform the people exposed to it, and Annex III lists it among high-risk uses. Pictures of faces "
    "are personal data under the GDPR and comparable laws. This is no legal advice."
)

NOT_FOR = (
    "Not for: judging how a person feels, what they intend, whether they lie, or whether they are fit for a job; "
    "watching employees, pupils or passers-by; any decision about a person."
)

FACE_ALONE = (
    "This model predicts from the face alone. The run's own results are means over each face and its mirror image "
    "(training.average_mirrored)."
)
"""Of a model file whose run averages both."""

STATEMENTS = (NOT_AN_EMOTION, NUMBERS, RESTRICTED, NOT_FOR)


def thin_groups(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the groups that are too small to be ranked: of too few tested faces, or of too few people.

    Args:
        tables: scores by group of any number of runs (:func:`openfer.evaluation.fairness.fairness`).

    Returns:
        ``by, group, n, people``, each group once with its largest n, the smallest first.
    """
    known = [table.loc[table["by"] != ALL, ["by", "group", "n", "people"]] for table in tables]
    if not known:
        return pd.DataFrame(columns=["by", "group", "n", "people"])
    largest = pd.concat(known).groupby(["by", "group"], sort=False)[["n", "people"]].max().reset_index()
    thin = (largest["n"] < LEAST) | (largest["people"] < LEAST_PEOPLE)
    return largest[thin].sort_values("n", kind="stable", ignore_index=True)
