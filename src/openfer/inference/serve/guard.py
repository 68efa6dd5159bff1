"""What every request passes through: limits on its size, its time and the number at once; and its count."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from openfer.inference.serve.limits import Limits
from openfer.inference.serve.metrics import Metrics

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]

_FREE = ("/health", "/metrics")
"""Paths that answer however many requests there are."""


class Guard:
    """ASGI middleware.

    Args:
        app: behind it.
        limits: of the service.
        metrics: where requests are counted.
    """

    def __init__(self, app: _App, limits: Limits, metrics: Metrics) -> None:
        self._app, self._limits, self._metrics = app, limits, metrics
        self._at_once = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def heard(message: _Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._at_once += 1
        try:
            if self._at_once > self._limits.requests and scope["path"] not in _FREE:
                words = f"{self._limits.requests} requests are worked on already; try again in a second"
                await _refused(429, words)(scope, receive, heard)
            elif _length(scope) > self._most:
                await _refused(413, self._too_large)(scope, receive, heard)
            else:
                await self._app(scope, self._limited(receive), heard)
        finally:
            self._at_once -= 1
            self._metrics.count(scope["path"], status, time.perf_counter() - began)

    @property
    def _most(self) -> int:
        return int(self._limits.megabytes * 1e6)

    @property
    def _too_large(self) -> str:
        return f"the request is larger than {self._limits.megabytes:g} megabytes; send fewer or smaller images"

    def _limited(self, receive: _Receive) -> _Receive:
        """Return a function that receives the body within the limits of size and time."""
        taken, complete = 0, False
        until = asyncio.get_running_loop().time() + self._limits.seconds

        async def limited() -> _Message:
            nonlocal taken, complete
            if complete:
                return await receive()  # waits for the client to hang up
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                words = f"the request was not complete after {self._limits.seconds:g} seconds; send it faster"
                raise HTTPException(408, words, {"Connection": "close"}) from error
            if message["type"] == "http.disconnect":
                raise HTTPException(400, "the client hung up before its request was complete; nothing was done")
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if taken > self._most:
                    raise HTTPException(413, self._too_large, {"Connection": "close"})
            return message

        return limited


def _refused(status: int, words: str) -> JSONResponse:
    headers = {"Connection": "close"} | ({"Retry-After": "1"} if status == 429 else {})
    return JSONResponse({"detail": words}, status, headers)


def _length(scope: MutableMapping[str, Any]) -> int:
    found = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(found) if found.isdigit() else 0
