"""Images per second of a training step: eager float32 NCHW against bfloat16 autocast with channels_last.

Both settings run in one process in alternating rounds, so that what else the machine does falls on
both; the ratio is the figure to trust. Usage:

    python benchmarks/train_step.py --method addl --size 224 --batch 8
"""

import argparse
import statistics
import time

import torch

from openfer.io.checkpoint import Checkpoint
from openfer.labels import BASIC_EXPRESSIONS, FACTOR_CLASSES
from openfer.methods.contract import EXTRA_SHAPES, Batch, Method
from openfer.methods.registry import build, method_class, method_names


def build_with_needs(name: str) -> Method:
    """Build a method, with models of random weights where it needs some."""
    tasks = method_class(name).tasks
    available = FACTOR_CLASSES | {"identity": tuple(map(str, range(337))), "expression": BASIC_EXPRESSIONS}
    needed = {}
    for model in method_class(name).needs:
        trained = build_with_needs(model)
        facts = {"classes": trained.classes, "config": method_class(model).config_class().model_dump(mode="json")}
        needed[model] = Checkpoint(trained.own_state(), facts)
    return build(name, {}, {task: available[task] for task in tasks}, needed)


class Setting:
    """One copy of the method, its optimisers and its batch."""

    def __init__(self, name: str, size: int, count: int, *, fast: bool) -> None:
        torch.manual_seed(0)
        self.fast = fast
        self.method = build_with_needs(name).train()
        images = torch.randn(count, 3, size, size)
        if fast:
            self.method = self.method.to(memory_format=torch.channels_last)
            images = images.contiguous(memory_format=torch.channels_last)
        labels = {task: torch.arange(count) % len(names) for task, names in self.method.classes.items()}
        extras = {name: torch.rand(count, *EXTRA_SHAPES[name]) for name in self.method.extras}
        self.batch = Batch(images, labels, extras)
        self.stage = self.method.stages()[0]
        self.optimisers = [torch.optim.Adam(player.parameters, lr=1e-4, fused=True) for player in self.stage.players]

    def run(self, steps: int) -> float:
        """Take some steps and return the seconds per step."""
        started = time.perf_counter()
        for _ in range(steps):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.fast):
                losses = self.method.step(self.batch, self.stage)
            for optimiser, player in zip(self.optimisers, self.stage.players, strict=True):
                optimiser.zero_grad()
                losses[player.name]["total"].backward(inputs=list(player.parameters))
            for optimiser in self.optimisers:
                optimiser.step()
        return (time.perf_counter() - started) / steps


def main() -> None:
    """Print images per second of both settings and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=method_names(), default="addl")
    parser.add_argument("--size", type=int, default=224, help="pixels of an image's side")
    parser.add_argument("--batch", type=int, default=8, help="images a step")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    parser.add_argument("--steps", type=int, default=1, help="steps a round")
    options = parser.parse_args()

    eager, fast = (Setting(options.method, options.size, options.batch, fast=fast) for fast in (False, True))
    for setting in (eager, fast):
        setting.run(1)
    rounds = [(eager.run(options.steps), fast.run(options.steps)) for _ in range(options.rounds)]
    slow, quick = (options.batch / statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"{options.method}, {options.size} pixels, batch {options.batch}, {torch.get_num_threads()} threads")
    print(f"float32 NCHW        {slow:7.2f} images/s")
    print(f"bf16 channels_last  {quick:7.2f} images/s")
    print(f"ratio               {ratio:7.2f} (median of {options.rounds} alternating rounds)")


if __name__ == "__main__":
    main()
