"""The studies: each paper's table beside ours, and what features know of each factor."""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from openfer.evaluation.figures import probe_picture
from openfer.evaluation.independence import independence_summary
from openfer.evaluation.probes import probe_summary
from openfer.evaluation.study_table import against_the_first, not_comparable
from openfer.io.studies import PICTURES, StudyFolder
from openfer.report.parts import (
    Columns,
    Section,
    chart,
    drawing,
    heading,
    items,
    joined,
    one,
    paragraph,
    percent,
    points,
    probability,
    sortable,
    three,
    unfold,
    whole,
    word,
)

_MOST_CHARTS = 24
"""Pictures of a page: each may have three hundred kilobytes."""

_CAPTIONS = {
    "table": "ours, mean and deviation over seeds, beside the published figures",
    "tsne": "features of tested faces of the first seed by t-SNE",
}
_MEASURES = {"hsic": "HSIC", "mine": "MINE, nats"}

_CELLS: Columns = {
    "row": ("row", word),
    "column": ("column", word),
    "seed": ("seed", word),
    "fold": ("fold", word),
    "state": ("state", word),
    "run": ("run", word),
    "seconds": ("training s", whole),
    "error": ("error", word),
}
_COMPARED: Columns = {
    "first": ("row", word),
    "second": ("against", word),
    "column": ("column", word),
    "difference": ("difference, points", points),
    "low": ("from", points),
    "high": ("to", points),
    "standard_error": ("standard error", percent),
    "of_faces": ("of faces", percent),
    "of_training": ("of training", percent),
    "verdict": ("verdict", word),
    "corrected": ("p, corrected", probability),
    "p_value": ("p", probability),
    "n": ("n", whole),
    "people": ("people", whole),
    "seeds": ("seeds", whole),
}
_PROBES: Columns = {
    "row": ("row", word),
    "column": ("column", word),
    "part": ("feature", word),
    "factor": ("factor", word),
    "when": ("training", word),
    "balanced_accuracy": ("balanced %", percent),
    "balanced_accuracy_std": ("sd of seeds", percent),
    "balanced_chance": ("its chance %", percent),
    "accuracy": ("accuracy %", percent),
    "accuracy_std": ("its sd", percent),
    "chance": ("largest class %", percent),
    "held_out": ("held out", word),
    "classes": ("classes", whole),
    "n": ("n", whole),
    "people": ("people", whole),
    "seeds": ("seeds", whole),
}
_INDEPENDENCE: Columns = {
    "row": ("row", word),
    "column": ("column", word),
    "measure": ("measure", word),
    "when": ("training", word),
    "value": ("value", three),
    "value_std": ("sd of seeds", three),
    "largest_p": ("largest p", probability),
    "n": ("n", whole),
    "people": ("people", whole),
    "seeds": ("seeds", whole),
}


def studies_section(studies: Sequence[StudyFolder]) -> Section | None:
    """Return all studies that have left a table; None if there is none.

    Args:
        studies: from :func:`openfer.io.studies.find_studies`.
    """
    if not studies:
        return None
    pictures = [(study, kind) for study in studies for kind in PICTURES if study.picture(kind) is not None]
    drawn = pictures[:_MOST_CHARTS]
    parts = [
        paragraph(
            "A study is a grid of runs beside a paper's table. Ours is the mean over seeds, of the main selection; a "
            "seed with a missing fold does not count."
        )
    ]
    parts += [_study(study, [kind for own, kind in drawn if own is study]) for study in studies]
    if len(pictures) > len(drawn):
        left = ", ".join(f"studies/{study.name}/{kind}.png" for study, kind in pictures[len(drawn) :])
        parts.append(paragraph(f"Not on this page, which would grow too large: {left}."))
    return Section("studies", "Studies", joined(parts))


def _study(study: StudyFolder, drawn: Sequence[str]) -> Markup:
    table = study.table
    table["missing"] = table["missing"].astype(object).fillna("")  # no words at all are read as numbers
    main = table[table["main"].astype(bool)].reset_index(drop=True)
    others = table[~table["main"].astype(bool)].reset_index(drop=True)
    parts = [heading(study.title), paragraph(_compared(study.name, main)), *_by_measure(study.name, main)]
    for kind in drawn:
        picture = study.picture(kind)
        if picture is not None:
            parts.append(chart(picture, f"{study.title}: {_CAPTIONS[kind]}"))
    parts += _comparison(study)
    if len(others):
        parts.append(unfold("Other selections of the epoch", *_by_measure(f"{study.name}, other selections", others)))
    if study.cells is not None:
        cells = study.cells.astype({"seed": str, "fold": str})
        cells["seconds"] = pd.to_numeric(cells["seconds"])
        failed = int((cells["state"] == "failed").sum())
        title = f"Its {len(cells)} cells and their runs" + (f", {failed} failed" if failed else "")
        parts.append(unfold(title, sortable(cells, _CELLS, f"cells of {study.name}")))
    return joined([*parts, *_probes(study), *_independence(study)])


def _comparison(study: StudyFolder) -> list[Markup]:
    """Return who differs from the first row in words, and every two rows as a table."""
    compared = study.comparison
    if compared is None or compared.empty:
        return []
    verdicts = compared["distinguishable"].map({True: "significant", False: "not significant"})
    table = sortable(compared.assign(verdict=verdicts), _COMPARED, f"rows of {study.name} compared")
    told = items(against_the_first(compared))
    return [told, unfold(f"Every two rows: {len(compared)} comparisons", table)]


def _compared(name: str, table: pd.DataFrame) -> str:
    """Return which published figures were measured on other data than ours."""
    said = f"Study {name}. "
    apart = not_comparable(table)
    if apart:
        return said + " ".join(apart)
    if table["published"].isna().all():
        return said + "No paper prints these figures."
    return said + "Dataset, classes, partition, folds and n of the published figures are those of ours."


def _by_measure(name: str, table: pd.DataFrame) -> list[Markup]:
    """Return a table for each measure and unit."""
    tables = []
    for measure, own in table.groupby("measure", sort=False):
        unit = own["unit"].iloc[0]
        shown = three if pd.isna(unit) else one
        title = str(measure).replace("_", " ") + ("" if pd.isna(unit) else f", {unit}")
        columns: Columns = {
            "row": ("row", word),
            "column": ("published on", word),
            "published": ("published", shown),
            "ours": (f"ours: {title}", shown),
            "sd": ("sd of seeds", shown),
            "difference": ("difference", shown),
            "source": ("published in", word),
            "differs": ("published, but not comparable", word),
            "trained_on": ("ours trained on", word),
            "tested_on": ("tested on", word),
            "n": ("n", whole),
            "seeds": ("seeds", whole),
            "folds": ("folds", whole),
            "selection": ("selection", word),
            "epoch": ("epoch", word),
            "initialisation": ("initialisation", word),
            "data_version": ("data version", word),
            "missing": ("missing", word),
        }
        empty = [each for each in ("published", "difference", "sd") if own[each].isna().all()]
        # an empty word comes back from a file as null
        empty += [each for each in ("source", "differs", "missing") if not own[each].astype(object).fillna("").any()]
        kept = {each: column for each, column in columns.items() if each not in empty}
        tables.append(sortable(own.reset_index(drop=True), kept, f"{title} of {name}"))
    return tables


def _probes(study: StudyFolder) -> list[Markup]:
    """Return the picture of factors by features for each column, and its numbers."""
    probes = study.probes
    if probes is None:
        return []
    parts = [
        heading("Factors that probes read from the features", 4),
        paragraph(
            "Linear probes read each factor from the feature of people that they have not seen, identity from other "
            "images of the same people. Colour is the share of the way from chance to always correct; numbers are "
            "balanced accuracies, means over seeds with their standard deviation. A small e marks the expression "
            "feature, d the disturbance feature."
        ),
    ]
    summaries = []
    for column, own in probes.groupby("column", sort=False):
        named = own.assign(method="", variant=own["row"]).drop(columns=["row", "column"])
        parts.append(drawing(probe_picture(named), f"linear probes of features, {study.title}, {column}"))
        summaries.append(probe_summary(named).rename(columns={"variant": "row"}).assign(column=column))
    table = sortable(pd.concat(summaries, ignore_index=True), _PROBES, f"probes of {study.name}")
    return [*parts, unfold("All probes as a table", table)]


def _independence(study: StudyFolder) -> list[Markup]:
    table = study.independence
    if table is None or table.empty:
        return []
    summaries = [
        independence_summary(own.assign(method="", variant=own["row"])).assign(column=column)
        for column, own in table.groupby("column", sort=False)
    ]
    found = pd.concat(summaries, ignore_index=True).rename(columns={"variant": "row"})
    found["measure"] = found["measure"].map(_MEASURES)
    said = paragraph(
        "The dependence of the expression feature and the disturbance feature of the same faces, means over seeds: a "
        "normalised kernel measure (HSIC, about 0 if independent and 1 if alike), and MINE's bound of their mutual "
        "information on people that it has not seen. p is the probability of such a kernel measure for features paired "
        "at random, the largest one of the seeds. Both features may depend on the person alone."
    )
    return [
        heading("Whether the two features are independent", 4),
        said,
        sortable(found, _INDEPENDENCE, f"independence in {study.name}"),
    ]
