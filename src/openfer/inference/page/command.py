"""`openfer page`: a model as a page for a browser."""

from pathlib import Path

import click

from openfer.inference.predictor import load
from openfer.optional import optional


@click.command()
@click.option("--model", "-m", default="geometry", show_default=True, help="Carried model, .onnx file, or run's slug.")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="Folder to write.")
def page(model: str, output: Path) -> None:
    """Write a page that predicts photographs and the webcam in a browser.

    Open its index.html from the disk or put the folder on any static host. The page sends no request.
    """
    with optional("page", "openfer page"):
        from openfer.inference.page.writer import write_page
    written = write_page(load(model), output)
    click.echo(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB). Open it in a browser.")
