"""`openfer predict`: images and videos in, a table out."""

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from openfer.errors import ParameterError
from openfer.inference.annotate import annotate
from openfer.inference.card import ModelCard
from openfer.inference.filming import film, until_interrupted
from openfer.inference.parts import Parts, fingerprint
from openfer.inference.predictor import Predictor, load
from openfer.inference.rows import Row, columns
from openfer.inference.settings import SMALLEST_FACE
from openfer.inference.sources import Source, find_sources
from openfer.inference.summary import Summary
from openfer.inference.tables import Write, check_ending, written
from openfer.inference.tracking import tracked
from openfer.io.camera import Camera, find_camera, opened_camera
from openfer.workers import with_bar

_POSITIVE = click.FloatRange(min=0, min_open=True)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--webcam",
    type=click.IntRange(0),
    is_flag=False,
    flag_value=0,
    metavar="[N]",
    help="Film, until Ctrl+C, camera N (0).",
)
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
    webcam: int | None,
    model: str,
    output: Path | None,
    annotated: Path | None,
    smooth: float | None,
    smallest_face: float,
) -> None:
    """Predict the expression of every face in images, folders, patterns and videos, or before a camera.

    The table has one row for each face, or for the reason why there is none. An interrupted command resumes when it is
    given again with the same --output. Of a camera, the table is written when Ctrl+C ends it.
    """
    if not paths and webcam is None:
        raise click.UsageError("give images, folders or videos, or --webcam")
    if output is not None:
        check_ending(output)
    summary = Summary()
    if webcam is None:
        sources = find_sources(paths, apart=annotated)
        predictor = load(model, smallest_face=smallest_face)
        name = fingerprint(predictor.path, smallest_face, sources)
        with _work_folder(output, name) as work:
            _predict_files(Parts(predictor, sources, work), sources, output, annotated, smooth, predictor.card, summary)
    elif paths or annotated:
        raise ParameterError("--webcam was given with files or --annotated; give a camera alone, it is not drawn on")
    else:
        predictor = load(model, smallest_face=smallest_face)
        _predict_camera(predictor, find_camera(webcam), output, smooth, summary)
    summary.show(Console(width=None if sys.stdout.isatty() else 120), predictor.card)


def _predict_files(
    parts: Parts,
    sources: Sequence[Source],
    output: Path | None,
    annotated: Path | None,
    smooth: float | None,
    card: ModelCard,
    summary: Summary,
) -> None:
    total = sum(source.count for source in sources)
    with_bar(parts.make(), "predict", total, 0, "image")
    with _table(output, card) as write:
        for row in summary.counted(tracked(parts.rows(), smooth)):
            write(row)
    if annotated is not None:
        with_bar(annotate(sources, tracked(parts.rows(), smooth), annotated), "annotate", total, 0, "image")


def _predict_camera(
    predictor: Predictor, camera: Camera, output: Path | None, smooth: float | None, summary: Summary
) -> None:
    with opened_camera(camera) as frames, _table(output, predictor.card) as write, until_interrupted() as is_over:
        click.echo(f"Filming with {camera.name}. Ctrl+C ends it.", err=True)
        rows = tracked(film(predictor, frames, camera.name, is_over), smooth)
        with_bar(_counted_frames(summary.counted(rows), write), "film", None, 0, "frame")


def _counted_frames(rows: Iterable[Row], write: Write) -> Iterator[int]:
    """Write rows; yields 1 for the first row of each frame, 0 for its other faces."""
    for row in rows:
        write(row)
        yield 0 if row.get("face") else 1


@contextmanager
def _table(output: Path | None, card: ModelCard) -> Iterator[Write]:
    if output is None:
        yield lambda row: None
        return
    with written(output, columns(card)) as write:
        yield write


@contextmanager
def _work_folder(output: Path | None, name: str) -> Iterator[Path]:
    """Yield a folder for unfinished work beside the output, where the next command finds it; remove it at the end."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="openfer-") as folder:
            yield Path(folder)
        return
    parts = output.with_name(f"{output.name}.parts")
    yield parts / name
    shutil.rmtree(parts)
