"""`kedro runs`: the runs there are, why one is not up to date, and how to remove them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from openfer.io.runs import Run
    from openfer.staleness import Examiner

_MEGABYTE = 1024 * 1024
_STYLES = {"up to date": "green", "stale": "yellow", "failed": "red", "incomplete": "magenta"}


@dataclass(frozen=True)
class Line:
    """One run in the list.

    Attributes:
        slug: identity of the run.
        row: its name in tables; empty if neither its record nor the present parameters say it.
        method: the registered method.
        datasets: names of the training datasets.
        seed: seed of every random draw.
        fold: number of the tested fold.
        when: time of its end, ISO 8601 in local time; None if it has no record.
        accuracy: accuracy in its first task, in [0, 1]; None for a method without a task.
        selection: rule that chose the epoch of the accuracy.
        n: number of tested faces; None without predictions.
        bytes: size on disk.
        state: ``up to date``, ``stale``, ``failed`` or ``incomplete``.
    """

    slug: str
    row: str
    method: str
    datasets: tuple[str, ...]
    seed: int
    fold: int
    when: str | None
    accuracy: float | None
    selection: str
    n: int | None
    bytes: int
    state: str


@click.group()
def runs() -> None:
    """List the runs of the project, explain why one is not up to date, or remove some."""


_environment = click.option("--env", "-e", help="Kedro configuration environment that they are compared with.")


@runs.command("list")
@_environment
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def list_runs(env: str | None, as_json: bool) -> None:
    """List all runs: what each is, when it ended, its accuracy, its size, and whether it is up to date."""
    examiner = _examiner(env)
    lines = [_line(run, examiner) for run in _all(examiner)]
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines], indent=1))
    elif not lines:
        click.echo("There are no runs; `kedro run` makes the first ones.")
    else:
        _print_table(lines)


@runs.command("why")
@click.argument("slug")
@_environment
def why(slug: str, env: str | None) -> None:
    """Explain why a run is not up to date: the parameters, inputs and code that have changed."""
    from openfer.staleness import chosen

    examiner = _examiner(env)
    (run,) = chosen(_all(examiner), (slug,))
    found = examiner.examine(run)
    if found.state == "up to date":
        click.echo(f"{slug} is up to date: a command skips its {found.n_nodes} nodes.")
        return
    click.echo(f"{slug} is {found.state}:")
    for cause, nodes in found.causes.items():
        click.echo(f"  {cause}{f' ({_listed(nodes)})' if nodes else ''}")
    if found.followers:
        click.echo(f"  what depends on these nodes follows, if their results differ ({_listed(found.followers)})")


@runs.command("remove")
@click.argument("slugs", nargs=-1)
@click.option("--stale", is_flag=True, help="Remove all runs that are not up to date.")
@click.option("--failed", is_flag=True, help="Remove all runs that failed.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_environment
def remove(slugs: tuple[str, ...], stale: bool, failed: bool, yes: bool, env: str | None) -> None:
    """Remove runs with all their files; tables of studies and comparisons stay."""
    from openfer.io.copies import remove_folder
    from openfer.staleness import chosen, folders_of, needed_by, size_of

    if not slugs and not stale and not failed:
        raise click.UsageError("name runs, or give --stale or --failed")
    examiner = _examiner(env)
    present = _all(examiner)
    wanted = {run.name: run for run in chosen(present, slugs)}
    states = {state for state, asked in (("stale", stale), ("failed", failed)) if asked}
    wanted |= {run.name: run for run in present if states and examiner.examine(run).state in states}
    if not wanted:
        click.echo("Nothing to remove.")
        return
    for run in wanted.values():
        click.echo(f"{run.name}: {size_of(run) / _MEGABYTE:.1f} MB")
        for folder in folders_of(run):
            click.echo(f"  {folder}")
    for slug, others in needed_by(present).items():
        kept = [name for name in others if name not in wanted]
        if slug in wanted and kept:
            click.echo(f"{slug} is needed by {', '.join(kept)}; their next command trains it again")
    if not yes:
        click.confirm(f"Remove {len(wanted)} run{'s' if len(wanted) > 1 else ''}?", abort=True)
    for run in wanted.values():
        for folder in folders_of(run):
            remove_folder(folder)
    click.echo(f"Removed {', '.join(wanted)}.")


def _examiner(env: str | None) -> "Examiner":
    from kedro.framework.session import KedroSession

    from openfer.staleness import Examiner

    with KedroSession.create(Path.cwd(), env=env) as session:
        return Examiner(session.load_context())


def _all(examiner: "Examiner") -> "list[Run]":
    from openfer.staleness import all_runs

    return all_runs(examiner.root)


def _line(run: "Run", examiner: "Examiner") -> Line:
    from openfer.staleness import size_of

    record, planned = run.record, examiner.planned(run)
    settings = record.settings if record and record.settings else planned.model_dump() if planned else {}
    seed, fold = (int(word[1:]) for word in run.name.rsplit("-", 3)[1:3])
    scores = [] if record is None else [own["accuracy"] for own in record.scores.values() if "accuracy" in own]
    ended = None if record is None else datetime.fromtimestamp(run.record_path.stat().st_mtime).astimezone()
    return Line(
        slug=run.name,
        row=(record.row if record else "") or (planned.row if planned else ""),
        method=run.method,
        datasets=tuple(settings.get("datasets", ())),
        seed=seed,
        fold=fold,
        when=ended.isoformat(timespec="seconds") if ended else None,
        accuracy=scores[0] if scores else None,
        selection=record.selection if record else "",
        n=run.n_tested,
        bytes=size_of(run),
        state=examiner.examine(run).state,
    )


def _print_table(lines: Sequence[Line]) -> None:
    """Print one row a run; its name, which other commands take, is never cut. It says method, seed and fold."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    columns = [
        *(Column("run", no_wrap=True), Column("datasets", overflow="fold"), Column("ended", min_width=10)),
        *(Column("accuracy %", min_width=8), Column("n", no_wrap=True), Column("MB", no_wrap=True)),
        Column("state", min_width=5),
    ]
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for line in lines:
        accuracy = "" if line.accuracy is None else f"{100 * line.accuracy:.1f} {line.selection}"
        ended = "" if line.when is None else line.when[:16].replace("T", " ")
        tested = "" if line.n is None else str(line.n)
        table.add_row(
            line.slug if line.row in ("", line.method) else f"{line.slug}\n  {line.row}",
            *("\n".join(line.datasets), ended, accuracy, tested),
            *(f"{line.bytes / _MEGABYTE:.1f}", Text(line.state, _STYLES[line.state])),
        )
    console = Console()
    console.print(table)
    if any(line.state != "up to date" for line in lines):
        console.print("`kedro runs why RUN` names what has changed.")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


_SHOWN = 6
"""Names of nodes in a line."""
