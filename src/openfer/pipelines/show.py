"""Results where a person looks first: the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def show_results(table: pd.DataFrame, sentences: Sequence[str] = ()) -> None:
    """Print a results table, and below it what its differences are worth."""
    from rich.console import Console

    from openfer.evaluation.results_table import render_terminal

    console = Console()
    console.print()
    console.print(render_terminal(table, sentences))


def show_study(title: str, table: pd.DataFrame, picture: str) -> None:
    """Print a study's table: each row beside what is published, with n, seeds and selection."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from openfer.evaluation.study_table import ours_in_words

    console = Console()
    shown = Table("row", "published", "ours", "n", "seeds", "selection", title=title, title_justify="left")
    for (column, measure), lines in table[table["main"]].groupby(["column", "measure"], sort=False):
        unit = "" if pd.isna(lines["unit"].iloc[0]) else f" {lines['unit'].iloc[0]}"
        shown.add_section()
        shown.add_row(Text(f"{measure}{unit}, {column}; ours on {lines['trained_on'].iloc[0]}", "dim"))
        for line in lines.fillna({"selection": "", "missing": ""}).to_dict("records"):
            published = "" if pd.isna(line["published"]) else f"{line['published']:g}"
            ours = ours_in_words(line["ours"], line["sd"])
            shown.add_row(line["row"], published, ours, str(line["n"]), str(line["seeds"]), line["selection"])
            if line["missing"]:
                shown.add_row(Text(f"  {line['missing']}", "red"))
    console.print()
    console.print(shown)
    console.print("The published figures are of the dataset named, ours of the one trained on: read n and seeds first.")
    console.print(Text(f"As a picture: {picture}"))


def show_ingested(
    name: str, n_rows: int, quarantine: pd.DataFrame, counts: pd.DataFrame, leakage: pd.DataFrame
) -> None:
    """Print what became of a dataset: rows = faces + quarantine, the split by class, and what is on two sides."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    refused = len(quarantine)
    console.print(f"\n[bold]{name}[/]: {n_rows:,} rows = {n_rows - refused:,} faces + {refused:,} in quarantine")
    for reason, count in quarantine["reason"].value_counts().head(5).items():
        console.print(Text(f"  {count:,} x {reason}"))
    first = counts[counts["fold"] == counts["fold"].min()]
    folds = counts["fold"].nunique()
    table = Table("class", *(("train", "val", "test", "excluded")), title=f"fold 0 of {folds}" if folds > 1 else None)
    for row in first.itertuples():
        table.add_row(str(row[2]), *(f"{number:,}" for number in row[3:]))
    console.print(table)
    for row in leakage[leakage["count"] > 0].head(6).itertuples():
        console.print(f"  {row.roles}, fold {row.fold}: {row.count:,} faces share a {row.kind} ({row.verdict})")


def show_verdict(verdict: Mapping[str, Any], findings: pd.DataFrame, page: str) -> None:
    """Print the doctor's findings that are not good, how many are, the verdict, and where the page is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    console.print()
    table = Table.grid(padding=(0, 2))
    shown = findings[findings["level"] != "good"]
    shown = shown.assign(meaning=shown["meaning"].where(shown["meaning"] != shown["meaning"].shift(-1), ""))
    for level, check, found, expected, meaning in shown.itertuples(index=False):
        style = {"note": "yellow", "problem": "bold red"}[str(level)]
        table.add_row(
            Text(str(level), style), Text(f"{check}: {found}" + (f", expected {expected}" if expected else ""))
        )
        if meaning:
            table.add_row("", Text(str(meaning), "dim"))
    console.print(table)
    good = int((findings["level"] == "good").sum())
    console.print(f"{good} {'checks are' if good != 1 else 'check is'} good")
    console.print(Text(str(verdict["verdict"]), f"bold {'red' if verdict['problems'] else 'green'}"))
    console.print(Text(f"Faces by class, and all of this: {page}"))


def show_report(page: str, ledger: pd.DataFrame) -> None:
    """Print where the report is, and of how many runs."""
    from rich.console import Console
    from rich.text import Text

    Console().print(Text(f"\nReport of {len(ledger)} run{'s' if len(ledger) != 1 else ''}: {page}"))
