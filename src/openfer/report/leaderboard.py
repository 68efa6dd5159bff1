"""The leaderboard, one table per test set, oracles apart; and the papers' figures beside ours."""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from markupsafe import Markup

from openfer.evaluation.entries import ELSEWHERE, Entry
from openfer.evaluation.fairness import LEAST
from openfer.evaluation.leaderboard import TASK, honest, measured, oracles, tested_on
from openfer.evaluation.metrics import METRICS, OF_FACES, named
from openfer.evaluation.published_rows import own_figures
from openfer.report.parts import (
    Columns,
    Format,
    Section,
    heading,
    joined,
    of_metrics,
    paragraph,
    percent,
    points,
    sortable,
    unfold,
    whole,
    word,
)

_BESIDE: dict[str, tuple[str, Format]] = {
    "accuracy_std": ("sd of seeds", percent),
    "n": ("n", whole),
    "people": ("people", whole),
    "seeds": ("seeds", whole),
    "folds": ("folds", whole),
    "published": ("published %", percent),
    "difference": ("difference", points),
}
"""Behind the scores of a leaderboard."""

_MADE: dict[str, tuple[str, Format]] = {
    "runs": ("run", word),
    "selection": ("selection", word),
    "epoch": ("epoch", word),
    "seed": ("seed", word),
    "initialisation": ("initialisation", word),
    "data_version": ("data version", word),
    "differs": ("published, but not comparable", word),
    "made_by": ("made by", word),
    "commit": ("commit", word),
}
"""The runs behind a leaderboard, a table of its own."""

_PRINTED = ("n", "seeds", "folds", "accuracy_std", "published", "difference", "runs")
"""The facts on paper, which is narrower."""

_SOMETIMES = ("published", "difference", "differs", "accuracy_std", "people")


def printed_columns() -> Columns:
    """Return the columns of Markdown and LaTeX."""
    first = {"entry": ("method", word), "selection": _MADE["selection"]}
    return {**first, **_scores(), **{name: (_BESIDE | _MADE)[name] for name in _PRINTED}}


def _scores() -> dict[str, tuple[str, Format]]:
    scores = of_metrics(named(*OF_FACES))
    return {"accuracy": scores.pop("accuracy"), "interval": ("95 % interval", word), **scores}


def leaderboard_section(scores: pd.DataFrame) -> Section:
    """Return the leaderboards of all test sets, best accuracy first.

    Args:
        scores: from :func:`openfer.evaluation.leaderboard.leaderboard`.
    """
    parts = [
        paragraph(
            "Only methods with the same test dataset and role share a table, each with its main selection of the "
            "epoch, which was named before the test. The interval is a bootstrap of the tested people with all their "
            "images, or of faces where people are not known. Overlapping intervals decide nothing: see Comparison. "
            f"Fewer than {LEAST} faces are not ranked."
        )
    ]
    ranked = with_interval(honest(scores))
    for tested in tested_on(ranked[ranked["task"] == TASK]):
        own = ranked[(ranked["tested"] == tested) & (ranked["task"] == TASK)].reset_index(drop=True)
        main, rest = (own[own["main"].astype(bool) == is_main].reset_index(drop=True) for is_main in (True, False))
        parts += [heading(f"Tested on {tested}"), *_board(main, f"leaderboard of {tested}")]
        if len(rest):
            parts.append(unfold("Other selections of the epoch", *_board(rest, f"other selections on {tested}")))
    others = ranked[(ranked["task"] != TASK) & ranked["main"].astype(bool)].reset_index(drop=True)
    if len(others):
        more: Columns = {"task": ("task", word), "tested": ("tested on", word)}
        said = paragraph(
            "A method that was tested on val had no other faces to test on: its epoch was chosen on these faces, and "
            "its numbers are too high. NMI of many classes on few faces is too high by chance."
        )
        parts.append(unfold("Other tasks than the expression", said, *_board(others, "other tasks", more)))
    looked = with_interval(oracles(scores))
    if len(looked):
        said = paragraph(
            "The epoch was chosen on the test faces, as some public codes do. These numbers are too high; they show "
            "the size of that effect."
        )
        boards = _board(looked, "oracles, not comparable", {"tested": ("tested on", word)})
        parts += [heading("Oracles, not comparable"), said, *boards]
    foreign = list(dict.fromkeys(scores.loc[scores["made_by"] == ELSEWHERE, "entry"]))
    if foreign:
        parts.append(
            paragraph(
                f"{', '.join(foreign)}: predictions of another program, scored by this one. Their training is not "
                "known here, nor whether their epoch was chosen as the column says."
            )
        )
    return Section("leaderboard", "Leaderboard", joined(parts))


def with_interval(scores: pd.DataFrame) -> pd.DataFrame:
    """Return a leaderboard with its interval as text; empty where all resamples agree."""
    pairs = zip(scores["low"], scores["high"], strict=True)
    return scores.assign(interval=["" if pd.isna(low) else f"{percent(low)} to {percent(high)}" for low, high in pairs])


def _board(table: pd.DataFrame, label: str, more: Columns = MappingProxyType({})) -> list[Markup]:
    """Return one leaderboard, with more columns behind the first one, and the table of its runs to unfold."""
    ranked = table.sort_values("accuracy", ascending=False, kind="stable")
    first: Columns = {"entry": ("method", word), **more}
    scores = saying({**first, **_scores(), **_BESIDE}, ranked)
    last, order = ranked["n"] < LEAST, ("accuracy", "descending")
    made = sortable(ranked, saying({**first, **_MADE}, ranked), f"runs of: {label}", last=last)
    return [sortable(ranked, scores, label, sorted_by=order, last=last), unfold("Runs behind these numbers", made)]


def saying(columns: Columns, table: pd.DataFrame) -> dict[str, tuple[str, Format]]:
    """Return the columns of a leaderboard without those that say nothing in it."""
    sometimes = [*_SOMETIMES, *(name for name, metric in METRICS.items() if metric.only_on)]
    empty = [name for name in sometimes if (table[name].isna() | (table[name] == "")).all()]
    empty += ["fold_accuracy", "folds"] * bool((table["folds"] == 1).all())
    empty += ["made_by"] * (ELSEWHERE not in set(table["made_by"]))
    return {name: column for name, column in columns.items() if name not in empty}


def published_section(entries: Sequence[Entry], scores: pd.DataFrame, published: pd.DataFrame) -> Section:
    """Return what the papers print for the methods of this page, with ours beside it where the conditions agree.

    Args:
        entries: all methods.
        scores: from :func:`openfer.evaluation.leaderboard.leaderboard`.
        published: from :func:`openfer.evaluation.published.published_table`.
    """
    ours = honest(scores)
    ours = ours[ours["main"] & (ours["published"].notna() | (ours["differs"] != ""))]
    rows = [
        {
            "method": row["entry"],
            "dataset": row["tested"],
            "published": row["published"],
            "ours": row["accuracy"] if row["folds"] == 1 else row["fold_accuracy"],
            "difference": row["difference"],
            "n": row["n"],
            "source": row["source"],
            "differs": row["differs"],
            "run": row["runs"],
        }
        for _, row in ours.iterrows()
    ]
    rows += [row for entry in entries for row in _not_run(entry, scores, published)]
    shown: dict[str, tuple[str, Format]] = {
        "method": ("method", word),
        "dataset": ("dataset", word),
        "published": ("published %", percent),
        "ours": ("ours %", percent),
        "difference": ("difference", points),
        "n": ("n", whole),
        "source": ("published in", word),
        "differs": ("published, but not comparable", word),
        "run": ("run", word),
    }
    if not rows:
        return Section("published", "Published", paragraph("No paper prints an accuracy of these methods."))
    said = (
        "Accuracy in per cent, the difference in points. A published figure stands beside ours only if dataset, "
        "classes, partition, number of folds and n agree; otherwise the row says what differs."
        if len(ours)
        else "None of these runs was tested on a dataset that the papers use, so no difference is shown: an accuracy "
        "on other faces, such as rendered ones, cannot be compared with a published one."
    )
    table = pd.DataFrame(rows).astype(dict.fromkeys(("published", "ours", "difference", "n"), float))
    if ours.empty:
        shown = {name: shown[name] for name in ("method", "dataset", "published", "source")}
    elif not table["differs"].any():
        del shown["differs"]
    return Section(
        "published", "Published", joined([paragraph(said), sortable(table, shown, "published figures and ours")])
    )


def _not_run(entry: Entry, scores: pd.DataFrame, published: pd.DataFrame) -> list[dict[str, object]]:
    """Return the accuracies that the entry's paper prints for it on other datasets, each dataset once."""
    own = scores[scores["entry"] == entry.name].iloc[0]
    tested = measured(entry, {"folds": own["folds"], "n": own["n"]}).sources
    return [
        {
            "method": entry.name,
            "dataset": figure.dataset,
            "published": figure.value / 100,
            "ours": np.nan,
            "difference": np.nan,
            "n": np.nan,
            "source": figure.source,
            "differs": "",
            "run": "",
        }
        for figure in own_figures(published, entry.method, entry.variant)
        if figure.conditions is None or figure.conditions.source not in tested
    ]
