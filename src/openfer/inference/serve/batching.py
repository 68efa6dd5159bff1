"""Predict images of several requests together: requests that arrive during a batch form the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Batcher(Generic[_Item, _Answer]):
    """Gathers items of several callers and hands them on in batches, one batch at a time, in a thread of its own.

    A batch does not wait for more items: it takes those that have come in the meantime.

    Args:
        answer: returns the answer to every item of a batch, or the exception that its caller is to get.
        most: items in a batch.
    """

    def __init__(self, answer: Callable[[list[_Item]], Sequence[_Answer | Exception]], most: int) -> None:
        self._answer, self._most = answer, most
        self._queue: asyncio.Queue[tuple[_Item, asyncio.Future[_Answer]]] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "predict")
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work."""
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """End after the batch in progress; callers that still wait are cancelled."""
        if self._worker is not None:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        await asyncio.to_thread(self._thread.shutdown)
        while not self._queue.empty():
            self._queue.get_nowait()[1].cancel()

    async def __call__(self, items: Sequence[_Item]) -> list[_Answer]:
        """Return the answers to some items, in their order.

        Raises:
            Exception: that of the first item without an answer.
        """
        waiting: list[asyncio.Future[_Answer]] = [asyncio.get_running_loop().create_future() for _ in items]
        for item, future in zip(items, waiting, strict=True):
            self._queue.put_nowait((item, future))
        try:
            found = await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            for future in waiting:
                future.cancel()  # of a caller that has gone
        answers: list[_Answer] = []
        for answer in found:
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return answers

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            wanted = [(item, future) for item, future in batch if not future.done()]
            if not wanted:
                continue
            items = [item for item, _ in wanted]
            try:
                answers = await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, items)
            except Exception as error:  # noqa: BLE001 - every caller is told, and the next batch begins
                answers = [error] * len(wanted)
            for (_, future), answer in zip(wanted, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
