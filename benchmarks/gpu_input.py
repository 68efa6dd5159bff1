"""Whether faces arrive as fast as a GPU trains on them: the input pipeline alone, and training that waits for it."""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from gpu_records import NO_TIME, Clock, Record, record
from input_pipeline import of_store, write_both
from openfer.io.face_store import Face, FaceStore, FaceStoreWriter
from openfer.methods.contract import Batch
from openfer.training.device import Plan
from openfer_faces.synthetic.people.person import make_person
from openfer_faces.synthetic.renderer.renderer import Renderer
from openfer_faces.synthetic.template import Template
from renderer import scenes_of
from train_step import Setting

_PEOPLE = 2
_WARM_UP = 2
_LEAST = 3.0
"""Seconds that must be left for a measurement."""


def rendered_store(folder: Path, side: int, count: int) -> FaceStore:
    """Write a store of ``count`` rendered faces, two people in turn."""
    template = Template(side)
    renderer = Renderer(template)
    scenes = [scenes_of(person, -(-count // _PEOPLE)) for person in range(_PEOPLE)]
    people = [make_person(template, n, own[0].gender, own[0].age, own[0].race) for n, own in enumerate(scenes)]
    with FaceStoreWriter(folder) as writer:
        for number in range(count):
            person = number % _PEOPLE
            image = renderer.render(people[person], scenes[person][number // _PEOPLE]).image
            writer.add(Face(f"{number:06d}", image, encoding="jpeg"))
    return FaceStore(folder)


def stored(folder: Path, crop: int, different: int, count: int) -> FaceStore:
    """Write a store with faces of 8/7 of the crop, some rendered ones again and again."""
    side = crop * 8 // 7
    return write_both(rendered_store(folder / "rendered", side, different), side, count, folder)


def alone(
    store: FaceStore, crop: int, batch: int, plan: Plan, workers: Sequence[int], seconds: float, clock: Clock
) -> Iterator[Record]:
    """Yield the rate of batches that arrive on the device and are not used, for each number of workers."""
    for number in workers:
        facts = {"crop": crop, "batch": batch, "workers": number, "cores": len(os.sched_getaffinity(0))}
        facts["bytes_per_face"] = sum(len(store.encoded(row)) for row in range(len(store))) / len(store)
        rate: float | str = NO_TIME
        if clock.left > _LEAST + seconds:
            epoch = of_store(store, crop * 8 // 7, crop, replace(plan, workers=number), batch)
            rate = _rate(epoch, lambda images: None, seconds)
        yield record(facts, {"images_per_second": rate})


def training(
    store: FaceStore, crop: int, batch: int, plan: Plan, methods: Sequence[str], seconds: float, clock: Clock
) -> Iterator[Record]:
    """Yield the rate of training steps on batches from the store, and on one batch that is there already."""
    for method in methods:
        facts = {"method": method, "crop": crop, "batch": batch, "workers": plan.workers}
        if clock.left < _LEAST + 2 * seconds:
            yield record(
                facts, dict.fromkeys(("images_per_second", "images_per_second_without_input", "share"), NO_TIME)
            )
            continue
        setting = Setting(method, {}, crop, batch, plan)
        rate = _rate(of_store(store, crop * 8 // 7, crop, plan, batch), setting.step, seconds)
        without = _rate(partial(itertools.repeat, setting.batch), setting.step, seconds)
        figures = {"images_per_second": rate, "images_per_second_without_input": without, "share": rate / without}
        yield record(facts, figures)


def _rate(epoch: Callable[[], Iterable[Batch]], use: Callable[[Batch], object], seconds: float) -> float:
    """Return images per second of wall time over full batches of endless epochs."""
    batches = itertools.chain.from_iterable(epoch() for _ in itertools.count())
    for batch in itertools.islice(batches, _WARM_UP):
        use(batch)
    _wait()
    begun, images = time.perf_counter(), 0
    for batch in batches:
        use(batch)
        images += len(batch.images)
        if time.perf_counter() - begun > seconds:
            break
    _wait()
    return images / (time.perf_counter() - begun)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
