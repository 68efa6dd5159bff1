"""Images per second of a training step: eager float32 NCHW against bfloat16 autocast with channels_last.

Both settings run in one process in alternating rounds, so that what else the machine does falls on
both; the ratio is the figure to trust. Usage:

    python benchmarks/train_step.py --method addl --batch 8
    python benchmarks/train_step.py --method esr --settings '{"attention": false, "diversify": []}'

The stage is the method's last one, in which all of its parts train.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from openfer.methods.contract import Batch
from openfer.methods.declaration import METHODS
from openfer.methods.untrained import noise_batch, untrained
from openfer.training.device import Plan, place
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


def main() -> None:
    """Print images per second of both settings and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=METHODS.names(), default="addl")
    parser.add_argument("--settings", type=json.loads, default={}, help="the method's parameters as JSON")
    parser.add_argument("--size", type=int, help="pixels of an image's side; the paper's by default")
    parser.add_argument("--batch", type=int, default=8, help="images a step")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    parser.add_argument("--steps", type=int, default=1, help="steps a round")
    options = parser.parse_args()

    size = options.size or METHODS[options.method].input_side
    eager, fast = (
        Setting(options.method, options.settings, size, options.batch, on_cpu(fast=fast)) for fast in (False, True)
    )
    for setting in (eager, fast):
        setting.run(1)
    rounds = [(eager.run(options.steps), fast.run(options.steps)) for _ in range(options.rounds)]
    slow, quick = (options.batch / statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"{eager.method.variant}, {size} pixels, batch {options.batch}, {torch.get_num_threads()} threads")
    print(f"float32 NCHW        {slow:7.2f} images/s")
    print(f"bf16 channels_last  {quick:7.2f} images/s")
    print(f"ratio               {ratio:7.2f} (median of {options.rounds} alternating rounds)")


if __name__ == "__main__":
    main()
