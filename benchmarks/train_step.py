"""What makes a training step on a CPU fast, one thing after the other, paired in one run.

    python benchmarks/train_step.py --methods baseline manet scn --batch 16
    python benchmarks/train_step.py --methods esr --settings '{"attention": false, "diversify": []}'

Each row adds one thing to the row above it. ``plain`` is what PyTorch does of itself: float32, channels first, an
optimiser that goes through the parameters one by one. All rows of a method take turns in one process, so that what else
the machine does falls on all; the ratios are the figures to trust. The stage is the method's last one, in which all of
its parts train. Rows that this machine cannot compute are left out.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from openfer.methods.contract import Batch
from openfer.methods.declaration import METHODS
from openfer.methods.untrained import noise_batch, untrained
from openfer.training.config import TrainingConfig
from openfer.training.device import Plan, compile_networks, place, resolve
from openfer.training.optimisers import Optimisers


class Setting:
    """One copy of a method with random weights, its optimisers and its batch of noise.

    Args:
        name: a registered method.
        settings: what differs from its defaults.
        size: side of the images in pixels.
        count: images a step.
        plan: device and arithmetic.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], size: int, count: int, plan: Plan) -> None:
        torch.manual_seed(0)
        self.method = untrained(name, settings)
        self.stage = self.method.stages()[-1]
        self.size = size
        self.change(plan, count)

    def change(self, plan: Plan, count: int) -> None:
        """Go on with the same weights in another arithmetic or batch size."""
        self.plan, self.count = plan, count
        place(self.method, plan)
        batch = noise_batch(self.method, count, self.size, plan.device)
        self.batch = replace(batch, images=batch.images.contiguous(memory_format=plan.memory_format))
        self.optimisers = Optimisers(self.stage, plan)
        self.optimisers.set_epoch(0)

    def step(self, batch: Batch) -> None:
        """Take a training step."""
        with self.plan.autocast():
            losses = self.method.step(batch, self.stage)
        self.optimisers.step(losses)

    def run(self, steps: int) -> float:
        """Take some steps, and return the seconds per step until the device has finished them."""
        return timed(lambda: self.step(self.batch), steps, self.plan.device)


def timed(call: Callable[[], object], times: int, device: torch.device) -> float:
    """Return the seconds of a call, mean of some calls in a row, until the device has finished the last one."""
    _wait(device)
    started = time.perf_counter()
    for _ in range(times):
        call()
    _wait(device)
    return (time.perf_counter() - started) / times


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def on_cpu(*, fast: bool) -> Plan:
    """Return float32 with channels first, or bfloat16 with channels last."""
    dtype = torch.bfloat16 if fast else torch.float32
    return Plan(torch.device("cpu"), dtype, channels_last=fast, compile=False, workers=0)


def ways(name: str, settings: Mapping[str, Any], size: int, count: int) -> Iterator[tuple[str, Setting]]:
    """Yield a copy of a method for each row, which has taken its first step."""
    computes_bfloat16 = resolve(TrainingConfig()).dtype == torch.bfloat16
    plain, last = on_cpu(fast=False), replace(on_cpu(fast=computes_bfloat16), channels_last=True)
    rows = {
        "plain": plain,
        "fused optimiser": plain,
        "channels last": replace(plain, channels_last=True),
        **({"bfloat16": last} if computes_bfloat16 else {}),
        "compiled": last,
    }
    for row, plan in rows.items():
        setting = Setting(name, settings, size, count, plan)
        started = time.perf_counter()
        if row == "plain":
            with_loop(setting)
        elif row == "compiled":
            compile_networks(setting.method)
        setting.run(1)
        print(f"  {row}: first step {time.perf_counter() - started:.1f} s", flush=True)
        yield row, setting


def with_loop(setting: Setting) -> None:
    """Take a step, and let the optimisers go through the parameters one by one from then on."""

    def unfuse(optimiser: torch.optim.Optimizer, *_: object) -> None:
        for group in optimiser.param_groups:
            group["fused"] = group["foreach"] = False

    handle = register_optimizer_step_pre_hook(unfuse)
    setting.run(1)
    handle.remove()


def main() -> None:
    """Print a table for each method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS.names(), default=["baseline", "manet", "scn"])
    parser.add_argument("--settings", type=json.loads, default={}, help="the methods' parameters as JSON")
    parser.add_argument("--size", type=int, help="pixels of an image's side; the paper's by default")
    parser.add_argument("--batch", type=int, default=16, help="images a step")
    parser.add_argument("--rounds", type=int, default=9, help="in which all rows take turns")
    options = parser.parse_args()
    for name in options.methods:
        size = options.size or METHODS[name].input_side
        print(f"{name}, {size} pixels, batch {options.batch}, {torch.get_num_threads()} threads")
        settings = dict(ways(name, options.settings, size, options.batch))
        rounds = np.array([[setting.run(1) for setting in settings.values()] for _ in range(options.rounds)])
        print(
            f"| {name} | ms a step | times as fast as plain (quarter, median, three quarters; n = {options.rounds}) |"
        )
        print("|---|---|---|")
        for row, seconds in zip(settings, rounds.T, strict=True):
            low, middle, high = np.percentile(rounds[:, 0] / seconds, [25, 50, 75])
            print(f"| {row} | {1000 * statistics.median(seconds):.0f} | {low:.2f}, **{middle:.2f}**, {high:.2f} |")
        print(flush=True)


if __name__ == "__main__":
    main()
