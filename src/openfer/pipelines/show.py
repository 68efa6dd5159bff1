"""Results where a person looks first: the terminal. What is shown is decided by the tags of nodes."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.datasets.inventory import by_suffix, unused_files
from openfer.io.runs import Run
from openfer.runs import tags
from openfer.runs.tags import slug_of

if TYPE_CHECKING:
    from openfer.inference.onnx_model import OnnxModel


def show(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Print the results of all nodes that are tagged for it; what was asked for comes last.

    Args:
        pipeline: that has run, or has failed in part.
        catalog: with its results.
    """
    _show_nodes(_SHOWN_FIRST, pipeline, catalog)
    show_prerequisites(_runs(pipeline, catalog, tags.PREREQUISITE))
    if not any(node.tags & {tags.SUMMARY, tags.STUDY} for node in pipeline.nodes):
        show_runs(_runs(pipeline, catalog, tags.REQUESTED))
    _show_nodes(_SHOWN_LAST, pipeline, catalog)


def show_runs_of(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Print the results of the requested runs of a pipeline that has failed in part."""
    show_runs(_runs(pipeline, catalog, tags.REQUESTED))


def show_runs(runs: Sequence[Run]) -> None:
    """Print the results of runs: one line a method, variant and selection, seeds and folds together."""
    from openfer.pipelines.evaluation_nodes import results_of

    scored = [run for run in runs if run.record is not None and run.record.scores]
    if scored:
        show_results(results_of(scored))
    for run in runs:
        if run not in scored:
            _print(_in_a_line(run))


def show_prerequisites(runs: Sequence[Run]) -> None:
    """Print one line a prerequisite: its identity and its accuracy."""
    if runs:
        _print("\nprerequisites:", *(f"  {_in_a_line(run)}" for run in runs))


def show_results(table: pd.DataFrame, sentences: Sequence[str] = ()) -> None:
    """Print a results table, and below it what its differences are worth."""
    from rich.console import Console

    from openfer.evaluation.results_table import render_terminal

    console = Console()
    console.print()
    console.print(render_terminal(table, sentences))


def show_study(title: str, table: pd.DataFrame) -> None:
    """Print a study's table: each row beside what is published, with n, seeds and selection."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from openfer.evaluation.study_table import not_comparable, ours_in_words

    console = Console()
    shown = Table("row", "published", "ours", "n", "seeds", "selection", title=title, title_justify="left")
    written = table.astype({"selection": object, "missing": object})  # a file gives an empty column back as numbers
    for (column, measure), lines in written[table["main"]].groupby(["column", "measure"], sort=False):
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
    for sentence in not_comparable(table):
        console.print(Text(sentence, "dim"))


def show_ingested(
    name: str, n_rows: int, unused: str, quarantine: pd.DataFrame, counts: pd.DataFrame, leakage: pd.DataFrame
) -> None:
    """Print what became of a dataset: rows = faces + quarantine, unused files, the split by class, and leakage."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    refused = len(quarantine)
    console.print(f"\n[bold]{name}[/]: {n_rows:,} rows = {n_rows - refused:,} faces + {refused:,} in quarantine")
    for reason, count in quarantine["reason"].value_counts().head(5).items():
        console.print(Text(f"  {count:,} x {reason}"))
    if unused:
        console.print(Text(f"  files that no row is of: {unused}", "dim"))
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


def show_elsewhere(method: str, table: pd.DataFrame) -> None:
    """Print the accuracy of a run on each dataset that it was tested on, beside its own test side."""
    from rich.console import Console
    from rich.table import Table

    shown = Table("tested on", "accuracy %", "95 % interval", "n", "classes", title=method, title_justify="left")
    for line in table[table["metric"] == "accuracy"].to_dict("records"):
        interval = f"{100 * line['low']:.1f} to {100 * line['high']:.1f}"
        found = f"{100 * line['value']:.1f}"
        shown.add_row(str(line["tested_on"]), found, interval, str(line["n"]), str(line["shared"]))
    console = Console()
    console.print()
    console.print(shown)


def show_report(page: str, ledger: pd.DataFrame) -> None:
    """Print where the report is, and the number of its runs."""
    _print(f"\nReport of {len(ledger)} run{'s' if len(ledger) != 1 else ''}: {page}")


def in_words(model: "OnnxModel") -> str:
    """Return what an exported file is: its place and size, and what was measured on it."""
    card, parts = model.card, [f"{model.path}: {model.path.stat().st_size / 1e6:.1f} MB"]
    if card.quantised is not None:
        parts.append("8-bit integers")
    if card.parity is not None:
        equal = f"{100 * card.parity.equal_answers:.1f} % equal answers (n = {card.parity.n})"
        parts.append(f"differs from torch by {card.parity.largest_difference:.1g} at most, {equal}")
    if card.accuracy is not None:
        before = "" if card.quantised is None else f", {100 * card.quantised.float32.value:.1f} % with 32-bit numbers"
        parts.append(f"accuracy {100 * card.accuracy.value:.1f} % (n = {card.accuracy.n}{before})")
    return "; ".join(parts)


def _ingested(node: Node, catalog: CatalogProtocol) -> None:
    name = str(node.namespace)
    parts = (catalog.load(f"{name}{part}") for part in ("_quarantine", ".counts", ".leakage"))
    rows, inventory = catalog.load(f"{name}_rows@file"), catalog.load(f"{name}.inventory@file")
    unused = by_suffix(unused_files(rows.batches(["path"]), inventory.batches(["path"])))
    show_ingested(name, len(rows), unused, *parts)


def _verdict(node: Node, catalog: CatalogProtocol) -> None:
    name, page = node.namespace, catalog.get(f"{node.namespace}.doctor_page")
    show_verdict(catalog.load(f"{name}.verdict"), catalog.load(f"{name}.findings"), _file(page))


def _elsewhere(node: Node, catalog: CatalogProtocol) -> None:
    (table,) = node.outputs
    show_elsewhere(f"{slug_of(node.tags)}, on the datasets of test_datasets", catalog.load(table))


def _study(node: Node, catalog: CatalogProtocol) -> None:
    title = catalog.load("params:study_plan").study.title
    show_study(title, catalog.load(f"{node.namespace}.table_table"))


def _picture(node: Node, catalog: CatalogProtocol) -> None:
    (picture,) = node.outputs
    _print(f"As a picture: {_file(catalog.get(picture))}")


def _report(_: Node, catalog: CatalogProtocol) -> None:
    show_report(_file(catalog.get("report.report_page")), catalog.load("report.ledger_table"))


def _exported(node: Node, catalog: CatalogProtocol) -> None:
    from openfer.inference.onnx_model import OnnxModel

    (made,) = node.outputs
    _print("", in_words(OnnxModel(catalog.load(made))))


def _summary(_: Node, catalog: CatalogProtocol) -> None:
    show_results(catalog.load("summary.results_table"), catalog.load("summary.sentences_json"))


_SHOWN_FIRST = {tags.INGESTED: _ingested, tags.VERDICT: _verdict}
_SHOWN_LAST = {
    tags.ELSEWHERE: _elsewhere,
    tags.STUDY: _study,
    tags.PICTURE: _picture,
    tags.SUMMARY: _summary,
    tags.REPORT: _report,
    tags.EXPORTED: _exported,
}


def _show_nodes(shown: Mapping[str, Callable[..., None]], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    for tag, show_node in shown.items():
        for node in sorted(node for node in pipeline.nodes if tag in node.tags):
            if all(catalog.exists(name) for name in node.outputs):
                show_node(node, catalog)


def _runs(pipeline: Pipeline, catalog: CatalogProtocol, tag: str) -> list[Run]:
    ends = (node for node in pipeline.nodes if tag in node.tags)
    return [catalog.load(name) for node in ends for name in node.outputs if catalog.exists(name)]


def _in_a_line(run: Run) -> str:
    record = run.record
    assert record is not None
    if record.state == "failed":
        return f"{run.name}: failed, {record.error}"
    scores = [f"{task} {100 * own['accuracy']:.1f} %" for task, own in record.scores.items() if "accuracy" in own]
    return f"{run.name}: {', '.join(scores) or 'trained'}"


def _file(dataset: Any) -> str:
    return str(dataset._filepath)


def _print(*lines: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console().print(Text("\n".join(lines)), soft_wrap=True)  # a path stays in one piece
