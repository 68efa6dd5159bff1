"""`openfer predict`: images and videos in, a table out."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from openfer.inference.annotate import annotate
from openfer.inference.parts import Parts, fingerprint
from openfer.inference.predictor import load
from openfer.inference.rows import columns
from openfer.inference.settings import SMALLEST_FACE
from openfer.inference.sources import find_sources
from openfer.inference.summary import Summary
from openfer.inference.tables import check_ending, written
from openfer.inference.tracking import tracked
from openfer.workers import with_bar

_POSITIVE = click.FloatRange(min=0, min_open=True)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--model",
    "-m",
    default="geometry",
    show_default=True,
    help="Carried model, .onnx file, a run's slug, models:/NAME/VERSION or runs:/ID.",
)
@click.option("--output", "-o", type=_PATH, help="Table to write: .csv, .parquet or .jsonl.")
@click.option("--annotated", type=_PATH, help="Folder for copies with boxes and words.")
@click.option("--smooth", type=_POSITIVE, metavar="SECONDS", help="Average each person over time in videos.")
@click.option(
    "--smallest-face", type=_SHARE, default=SMALLEST_FACE, show_default=True, help="Share of the shorter side."
)
def predict(
    paths: tuple[str, ...],
    model: str,
    output: Path | None,
    annotated: Path | None,
    smooth: float | None,
    smallest_face: float,
) -> None:
    """Predict the expression of every face in images, folders, patterns and videos.

    The table has one row for each face, or for the reason why there is none. An interrupted command resumes when it is
    given again with the same --output.
    """
    if output is not None:
        check_ending(output)
    sources = find_sources(paths, apart=annotated)
    predictor = load(model, smallest_face=smallest_face)
    total = sum(source.count for source in sources)
    with _work_folder(output, fingerprint(predictor.path, smallest_face, sources)) as work:
        parts = Parts(predictor, sources, work)
        with_bar(parts.make(), "predict", total, 0, "image")
        summary = Summary()
        rows = summary.counted(tracked(parts.rows(), smooth))
        if output is None:
            for _ in rows:
                pass
        else:
            with written(output, columns(predictor.card)) as write:
                for row in rows:
                    write(row)
        if annotated is not None:
            with_bar(annotate(sources, tracked(parts.rows(), smooth), annotated), "annotate", total, 0, "image")
    summary.show(Console(width=None if sys.stdout.isatty() else 120), predictor.card)


@contextmanager
def _work_folder(output: Path | None, name: str) -> Iterator[Path]:
    """Give a folder for unfinished work: beside the output, where the next command finds it; removed at the end."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="openfer-") as folder:
            yield Path(folder)
        return
    parts = output.with_name(f"{output.name}.parts")
    yield parts / name
    shutil.rmtree(parts)
