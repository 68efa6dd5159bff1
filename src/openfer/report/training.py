"""Sections on how methods came about: where they look, how they learned, and the ledger of runs."""

from collections.abc import Sequence

import pandas as pd

from openfer.evaluation.entries import Entry
from openfer.evaluation.figures import training_curves
from openfer.evaluation.leaderboard import TASK
from openfer.report.parts import (
    Columns,
    Section,
    digits,
    drawing,
    joined,
    paragraph,
    percent,
    points,
    sheet,
    sortable,
    unfold,
    whole,
    word,
)

_MOST_SHEETS = 24
"""Pictures of a page: each is some hundred kilobytes."""

_TITLES = {"grad_cam": "Grad-CAM", "attention": "attention"}
_NO_CURVE = ("learning_rate/", "seconds", "images_per_second", "gpu_joules", "cpu_joules")
_ENERGY = ("gpu_kwh", "cpu_kwh")

LEDGER: Columns = {
    "run": ("run", word),
    "entry": ("method", word),
    "made_by": ("made by", word),
    "datasets": ("data", word),
    "data_version": ("data version", word),
    "fold": ("fold", word),
    "tested_on": ("tested on", word),
    "n_train": ("n train", word),
    "n_test": ("n test", whole),
    "initialisation": ("initialisation", word),
    "initialisation_sha256": ("its SHA-256", word),
    "sampling": ("sampling", word),
    "augmentation": ("augmentation", word),
    "selection": ("selection", word),
    "seed": ("seed", word),
    "epochs": ("epochs", word),
    "epoch": ("chosen", word),
    "device": ("device", word),
    "precision": ("precision", word),
    "threads": ("threads", word),
    "wall_seconds": ("training s", whole),
    "gpu_kwh": ("GPU kWh", digits),
    "cpu_kwh": ("CPU kWh", digits),
    "openfer": ("openfer", word),
    "commit": ("git commit", word),
    "licences_of_data": ("licences of the data", word),
    "task": ("task", word),
    "accuracy": ("accuracy %", percent),
    "oracle_accuracy": ("oracle's %, not comparable", percent),
    "published": ("published %", percent),
    "difference": ("difference", points),
    "source": ("published in", word),
    "differs": ("published, but not comparable", word),
}


def sheets_section(entries: Sequence[Entry]) -> Section:
    """Return the Grad-CAM and attention sheets of each method's first run."""
    found = [
        (entry, kind, path)
        for entry in entries
        for kind in _TITLES
        if (path := entry.runs[0].picture(kind)) is not None
    ]
    parts = [
        paragraph(
            "Colour shows the evidence for the predicted class (Grad-CAM), or the network's weights (attention). A map "
            "shows where, not why."
        )
    ]
    for entry, kind, path in found[:_MOST_SHEETS]:
        caption = f"{_TITLES[kind]} of {entry.name}, run {entry.runs[0].name}"
        parts.append(unfold(f"{entry.name}: {_TITLES[kind]}", sheet(path, caption)))
    if len(found) > _MOST_SHEETS:
        left = ", ".join(f"{entry.runs[0].name}/{kind}.png" for entry, kind, _ in found[_MOST_SHEETS:])
        parts.append(paragraph(f"Not on this page, which would grow too large: {left}."))
    return Section("sheets", "Attention", joined(parts))


def curves_section(entries: Sequence[Entry]) -> Section:
    """Return validation accuracy by epoch for all methods, and all curves of each to unfold."""
    histories = {entry.name: history for entry in entries if (history := entry.runs[0].history) is not None}
    if not histories:
        return Section("curves", "Training", paragraph("No run has left its history here."))
    together = pd.concat([history.assign(method=name) for name, history in histories.items()], ignore_index=True)
    validation = together[(together["split"] == "val") & (together["name"] == f"accuracy/{TASK}")]
    parts = [
        paragraph(
            "Validation accuracy of the expression by epoch, of each method's first run. Methods without an expression "
            "task have no curve. A curve that still rises at its end was stopped early."
        )
    ]
    if len(validation):
        parts.append(drawing(training_curves(validation), "validation accuracy by epoch"))
    for name, history in histories.items():
        kept = history[~history["name"].str.startswith(_NO_CURVE)].drop(columns="method", errors="ignore")
        if len(kept):
            curves = drawing(training_curves(kept), f"training curves of {name}")
            parts.append(unfold(f"All curves of {name}", curves))
    return Section("curves", "Training", joined(parts))


def ledger_section(table: pd.DataFrame) -> Section:
    """Return one row per run, with all that made it.

    Args:
        table: from :func:`openfer.evaluation.ledger.ledger`.
    """
    empty = [name for name in (*_ENERGY, "published", "difference", "oracle_accuracy") if table[name].isna().all()]
    empty += ["source"] * ("published" in empty)
    columns = {name: column for name, column in LEDGER.items() if name not in empty}
    said = (
        "One row per run. Its predictions, facts and model are in the folders of this name below 07_model_output and "
        "06_models. Training seconds and energy count the epochs only. A data version covers all inputs of a method, "
        "such as landmarks, and can therefore differ for the same faces. "
        + ("No run has its energy measured." if {*_ENERGY} <= {*empty} else "Energy is that of whole devices.")
    )
    return Section("ledger", "Ledger", joined([paragraph(said), sortable(table, columns, "ledger of runs")]))
