"""Worker processes that render shards, in any order and any number, with the same bytes."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from openfer.errors import OpenferError

if TYPE_CHECKING:
    from openfer.synthetic.renderer.renderer import Renderer
    from openfer.synthetic.shards import Shard
    from openfer.synthetic.template import Template


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def render_all(shards: "Sequence[Shard]", workers: int) -> Iterator[int]:
    """Render shards; yields each one's number of images as it is done.

    One worker renders in this process. Several are fresh processes: Warp's threads do not survive a
    fork. They end with this process, whatever ends it.

    Args:
        shards: what to render.
        workers: number of processes.

    Raises:
        OpenferError: if a worker was killed. An error inside a worker is raised as itself.
    """
    workers = min(workers, len(shards))
    if workers <= 1:
        for shard in shards:
            yield _render(shard)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        try:
            futures = [pool.submit(_render, shard) for shard in shards]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise OpenferError(
                f"one of {workers} rendering processes was ended from outside (out of memory?); finished images "
                "are kept: run the same command again, with fewer synthetic.workers if it happens twice"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Leave interrupts to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _render(shard: "Shard") -> int:
    from openfer.synthetic.shards import render_shard

    return render_shard(shard, *_engine(shard.image_size))


@lru_cache(maxsize=1)
def _engine(image_size: int) -> "tuple[Template, Renderer]":
    from openfer.synthetic.renderer.renderer import Renderer
    from openfer.synthetic.template import Template

    template = Template(image_size)
    return template, Renderer(template)
