"""`openfer serve`: a model as an HTTP service."""

import click

from openfer.inference.serve.limits import Limits
from openfer.optional import optional

_DEFAULTS = Limits()
_GRACE = 30
"""Seconds that requests in progress have to end when the service is stopped."""


@click.command()
@click.option("--model", "-m", default="geometry", show_default=True, help="Carried model, .onnx file, or run's slug.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; 0.0.0.0 answers other machines too.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--max-images", type=click.IntRange(1), default=_DEFAULTS.images, show_default=True, help="In a request.")
@click.option(
    "--max-megabytes",
    type=click.FloatRange(0, min_open=True),
    default=_DEFAULTS.megabytes,
    show_default=True,
    help="Of a request.",
)
@click.option(
    "--max-megapixels",
    type=click.FloatRange(0, min_open=True),
    default=_DEFAULTS.megapixels,
    show_default=True,
    help="Of an image.",
)
@click.option("--max-faces", type=click.IntRange(1), default=_DEFAULTS.faces, show_default=True, help="In an image.")
@click.option("--max-requests", type=click.IntRange(1), default=_DEFAULTS.requests, show_default=True, help="At once.")
def serve(
    model: str,
    host: str,
    port: int,
    max_images: int,
    max_megabytes: float,
    max_megapixels: float,
    max_faces: int,
    max_requests: int,
) -> None:
    """Answer HTTP requests: POST /predict with image files; GET /health, /model, /metrics and /docs.

    There is no authentication: put a proxy with TLS and accounts in front of it before other machines may ask. Nothing
    that a client sends is kept.
    """
    with optional("serve", "openfer serve"):
        import uvicorn

        from openfer.inference.serve.app import create_app
    from openfer.inference.predictor import load

    limits = Limits(
        images=max_images,
        megabytes=max_megabytes,
        megapixels=max_megapixels,
        faces=max_faces,
        requests=max_requests,
    )
    app = create_app(load(model, most_faces=limits.faces), limits)
    uvicorn.run(app, host=host, port=port, timeout_graceful_shutdown=_GRACE, timeout_keep_alive=5, access_log=False)
