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
from collections.abc import Mapping
from typing import Any

import torch

from openfer.io.checkpoint import Checkpoint
from openfer.labels import BASIC_EXPRESSIONS, FACTOR_CLASSES
from openfer.methods.contract import EXTRA_SHAPES, Batch, Method
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build
from openfer.training.device import Plan
from openfer.training.optimisers import Optimisers


def build_with_prerequisites(name: str, settings: Mapping[str, Any]) -> Method:
    """Build a method; its prerequisites have random weights."""
    declared = METHODS[name]
    checked = declared.settings.model_validate(settings)
    available = FACTOR_CLASSES | {"identity": tuple(map(str, range(337))), "expression": BASIC_EXPRESSIONS}
    needed = {}
    for model in declared.prerequisites_of(checked):
        trained = build_with_prerequisites(model, {})
        facts = {"classes": trained.classes, "config": trained.config.model_dump(mode="json")}
        needed[model] = Checkpoint(trained.own_state(), facts)
    return build(name, checked, {task: available[task] for task in declared.tasks_of(checked)}, needed)


class Setting:
    """One copy of the method, its optimisers and its batch."""

    def __init__(self, name: str, settings: Mapping[str, Any], size: int, count: int, *, fast: bool) -> None:
        torch.manual_seed(0)
        dtype = torch.bfloat16 if fast else torch.float32
        self.plan = Plan(torch.device("cpu"), dtype, channels_last=fast, compile=False, workers=0)
        self.method = build_with_prerequisites(name, settings).train()
        images = torch.randn(count, 3, size, size)
        if fast:
            self.method = self.method.to(memory_format=torch.channels_last)
            images = images.contiguous(memory_format=torch.channels_last)
        labels = {task: torch.arange(count) % len(names) for task, names in self.method.classes.items()}
        extras = {name: torch.rand(count, *EXTRA_SHAPES[name]) for name in self.method.declared.extras}
        self.batch = Batch(images, labels, extras)
        self.stage = self.method.stages()[-1]
        self.optimisers = Optimisers(self.stage, self.plan)
        self.optimisers.set_epoch(0)

    def run(self, steps: int) -> float:
        """Take some steps and return the seconds per step."""
        started = time.perf_counter()
        for _ in range(steps):
            with self.plan.autocast():
                losses = self.method.step(self.batch, self.stage)
            self.optimisers.step(losses)
        return (time.perf_counter() - started) / steps


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
    eager, fast = (Setting(options.method, options.settings, size, options.batch, fast=fast) for fast in (False, True))
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
