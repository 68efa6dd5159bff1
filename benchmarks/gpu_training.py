"""Rate, share of the limit, memory and energy of training steps: every method, arithmetic and batch size."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from gpu_records import NO_GPU, NO_TIME, Clock, Record, record
from openfer.methods.declaration import METHODS
from openfer.methods.untrained import noise_batch, untrained
from openfer.training.device import Plan, compile_networks, forget_compiled
from openfer.training.energy import GPU, EnergyMeter
from openfer.training.memory import step_memory, without_numbers
from train_step import Setting, timed

FIRST = ("addl", "baseline", "manet", "oadn", "fdrl_eca", "scn", "esr", "sna", "dfem")
"""Methods in the order in which time is given to them; the others follow."""

FIGURES = ("images_per_second", "tflops", "share_of_limit", "peak_bytes", "counted_bytes", "joules_per_image")
"""``counted_bytes`` are those that :mod:`openfer.training.memory` expects, beside the measured peak."""

_WARM_UP = 2
_MOST_STEPS = 100
_LEAST_FOR_A_CELL = 1.5
_LEAST_TO_COMPILE = 45.0
"""Seconds that must be left."""

_SHARE_OF_EAGER = 0.7
"""Of the time; the rest is for networks that are compiled."""

_TERA = 1e12


@dataclass(frozen=True)
class Arithmetic:
    """How a network computes.

    Attributes:
        dtype: of the autocast region.
        tf32: whether float32 products are rounded to TF32 on the way in.
        compiled: whether networks are compiled.
        on_cpu: whether a CPU can do it too.
    """

    dtype: torch.dtype
    tf32: bool = False
    compiled: bool = False
    on_cpu: bool = False

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let products of float32 follow this arithmetic; afterwards they are as before."""
        places = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
        before = [place.fp32_precision for place in places]
        try:
            for place in places:
                place.fp32_precision = "tf32" if self.tf32 else "ieee"
            yield
        finally:
            for place, precision in zip(places, before, strict=True):
                place.fp32_precision = precision

    def plan(self, device: torch.device) -> Plan:
        """Return the plan of a training."""
        return Plan(device, self.dtype, channels_last=True, compile=self.compiled, workers=0)


ARITHMETICS = {
    "bfloat16": Arithmetic(torch.bfloat16, on_cpu=True),
    "tf32": Arithmetic(torch.float32, tf32=True),
    "float32": Arithmetic(torch.float32, on_cpu=True),
    "float16": Arithmetic(torch.float16),
    "bfloat16 compiled": Arithmetic(torch.bfloat16, compiled=True),
}


@dataclass(frozen=True)
class Sizes:
    """What is measured.

    Attributes:
        methods: names, the most important first.
        batches: images a step, the most important first; compiled networks are measured with the first alone.
        side: of the images in pixels; None for each paper's own.
        seconds: of a measurement.
        matrix: rows and columns of the matrices that show the limit.
    """

    methods: Sequence[str]
    batches: Sequence[int]
    side: int | None
    seconds: float
    matrix: int


def all_methods() -> list[str]:
    """Return the methods that look at pixels, the most important first."""
    seen = [name for name in METHODS.names() if METHODS[name].looks_at_pixels]
    return [name for name in FIRST if name in seen] + [name for name in seen if name not in FIRST]


def limits(device: torch.device, size: int) -> Record:
    """Return the floating-point operations per second of one large product in each arithmetic, in units of 10^12."""
    return record({"rows": size}, {name: _limit(own, device, size) for name, own in ARITHMETICS.items()})


def rows(sizes: Sizes, device: torch.device, limit: Record, clock: Clock) -> Iterator[Record]:
    """Yield a record for each method, batch size and arithmetic; those that are compiled come last."""
    eager = [name for name, own in ARITHMETICS.items() if not own.compiled]
    first, *others = sizes.batches
    cells = [(first, name) for name in eager] + [(batch, name) for name in eager for batch in others]
    left = clock.part(_SHARE_OF_EAGER)
    for number, method in enumerate(sizes.methods):
        yield from _of_method(method, cells, sizes, device, limit, left.part(1 / (len(sizes.methods) - number)))
    compiled = [name for name, own in ARITHMETICS.items() if own.compiled]
    for method in sizes.methods:
        for name in compiled:
            yield from _of_method(method, [(first, name)], sizes, device, limit, clock)


def _of_method(
    method: str, cells: Sequence[tuple[int, str]], sizes: Sizes, device: torch.device, limit: Record, clock: Clock
) -> Iterator[Record]:
    side = _side(method, sizes)
    setting: Setting | None = None
    operations = 0.0
    for batch, name in cells:
        facts = {"method": method, "side": side, "batch": batch, "arithmetic": name}
        arithmetic = ARITHMETICS[name]
        if why := _refusal(arithmetic, device, clock):
            yield record(facts, dict.fromkeys(FIGURES, why))
            continue
        try:
            if setting is None:
                setting = Setting(method, {}, side, batch, arithmetic.plan(device))
                operations = _operations(setting)
                if arithmetic.compiled:
                    forget_compiled()
                    compile_networks(setting.method)
            setting.change(arithmetic.plan(device), batch)
            with arithmetic.used():
                measured = _measured(setting, operations, limit[name], sizes.seconds)
            yield record(facts, measured)
        except torch.OutOfMemoryError:
            yield record(facts, dict.fromkeys(FIGURES, "out of memory"))


def _refusal(arithmetic: Arithmetic, device: torch.device, clock: Clock) -> str | None:
    if device.type != "cuda" and not arithmetic.on_cpu:
        return NO_GPU
    return NO_TIME if clock.left < (_LEAST_TO_COMPILE if arithmetic.compiled else _LEAST_FOR_A_CELL) else None


def _measured(setting: Setting, operations: float, limit: float | None, seconds: float) -> dict[str, float | str]:
    """Return the figures of a training step; ``operations`` are floating-point operations of one image."""
    device, count = setting.plan.device, setting.count
    on_gpu = device.type == "cuda"
    setting.run(_WARM_UP)
    steps = max(1, min(_MOST_STEPS, round(seconds / setting.run(1))))
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    meter = EnergyMeter(device)
    took = setting.run(steps)
    meter.count()
    tflops = operations * count / took / _TERA
    return {
        "images_per_second": count / took,
        "tflops": tflops,
        "share_of_limit": tflops / limit if limit else "the limit of this arithmetic is unknown",
        "counted_bytes": _counted(setting),
        "peak_bytes": torch.cuda.max_memory_allocated(device) if on_gpu else NO_GPU,
        "joules_per_image": meter.joules[GPU] / (steps * count) if GPU in meter.joules else "no counter can be read",
    }


def _counted(setting: Setting) -> float | str:
    """Return the bytes that a step is expected to take."""
    if setting.plan.compile or setting.plan.dtype != torch.bfloat16:
        return "it is counted for bfloat16 that is not compiled"
    with without_numbers():
        method = untrained(setting.method.name)
        batch = noise_batch(method, setting.count, setting.size, "cuda")
        return step_memory(method, method.stages()[-1], batch, setting.plan.dtype).total


def _operations(setting: Setting) -> float:
    """Return the floating-point operations of a training step for each image: two for a multiply-accumulate."""
    with FlopCounterMode(display=False) as counter:
        setting.step(setting.batch)
    return counter.get_total_flops() / setting.count


def _limit(arithmetic: Arithmetic, device: torch.device, size: int) -> float | str:
    if device.type != "cuda" and not arithmetic.on_cpu:
        return NO_GPU
    one, other = (torch.randn(size, size, device=device, dtype=arithmetic.dtype) for _ in range(2))
    with arithmetic.used():
        timed(lambda: one @ other, _WARM_UP, device)
        return 2 * size**3 / min(timed(lambda: one @ other, 3, device) for _ in range(3)) / _TERA


def _side(method: str, sizes: Sizes) -> int:
    """Return the side of the images; a network that is built for one side keeps its paper's."""
    declared = METHODS[method]
    return declared.input_side if sizes.side is None or "side" in declared.settings.model_fields else sizes.side
