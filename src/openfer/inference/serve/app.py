"""The service: POST /predict, GET /health, /model, /metrics, /docs and /openapi.json."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from openfer.inference.card import ModelCard
from openfer.inference.serve.answers import Answer, Health, ImageAnswer, Problem
from openfer.inference.serve.batching import Batcher
from openfer.inference.serve.guard import Guard
from openfer.inference.serve.images import ImagePredictor, Predicts, Upload
from openfer.inference.serve.limits import Limits
from openfer.inference.serve.metrics import Metrics
from openfer.inference.serve.page import docs_page
from openfer.version import __version__

FIELD = "images"
"""The name of the form's files."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "not a form with image files"},
    408: {"model": Problem, "description": "the request came too slowly"},
    413: {"model": Problem, "description": "the request is too large"},
    422: {"model": Problem, "description": "a file is not an image, or shows too much"},
    429: {"model": Problem, "description": "too many requests at once"},
}


def _form(most: int) -> dict[str, Any]:
    """Return what OpenAPI says of the form; FastAPI cannot tell, as the body is read within the limits."""
    files = {"type": "array", "minItems": 1, "maxItems": most, "items": {"type": "string", "format": "binary"}}
    form = {"type": "object", "required": [FIELD], "additionalProperties": False, "properties": {FIELD: files}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}


def create_app(predictor: Predicts, limits: Limits | None = None) -> FastAPI:
    """Return the service of a model as an ASGI application.

    Args:
        predictor: the model; see :func:`openfer.inference.predictor.load`.
        limits: what clients may send; the defaults if None.
    """
    limits, metrics, card = limits or Limits(), Metrics(), predictor.card
    batcher: Batcher[Upload, ImageAnswer] = Batcher(ImagePredictor(predictor, limits, metrics), limits.batch)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await batcher.start()
        yield
        await batcher.stop()

    app = FastAPI(
        title=f"openfer: {card.slug}",
        version=__version__,
        description=" ".join(card.limits),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Guard, limits=limits, metrics=metrics)

    @app.post("/predict", response_model=Answer, responses=_PROBLEMS, openapi_extra=_form(limits.images))
    async def predict(request: Request) -> Answer:
        """Predict the expression of every face in the images of a form, field `images`."""
        async with request.form(max_files=limits.images, max_fields=0) as form:
            uploads = [
                Upload(place, part.filename or "", part.file)
                for place, (name, part) in enumerate(form.multi_items(), start=1)
                if isinstance(part, UploadFile) and name == FIELD
            ]
            if not uploads or len(uploads) != len(form.multi_items()):
                raise HTTPException(400, f"send a form (multipart/form-data) whose files all have the name {FIELD!r}")
            return Answer(model=card.slug, images=await batcher(uploads))

    @app.get("/health")
    async def health() -> Health:
        """Say that the service answers."""
        return Health(status="ok", model=card.slug)

    @app.get("/model")
    async def model() -> ModelCard:
        """Return the model's card."""
        return card

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def counts() -> Response:
        """Return counts for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs() -> str:
        return docs_page(app.openapi(), card, limits)

    return app
