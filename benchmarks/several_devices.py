"""CPU seconds of a training step on one process, and on several that divide each batch.

On a busy machine time by the clock says little. CPU seconds count only what the processes compute, which includes what
they do twice and what they send each other: one process's seconds divided by all processes' is the share of work that
is not lost, and the efficiency that as many idle cores can reach. Usage:

    python benchmarks/several_devices.py --method addl --size 112 --batch 16
"""

import argparse
import json
import resource
import tempfile
from pathlib import Path
from typing import Any

import torch.distributed as dist

from openfer.training.launch import Launch, together
from openfer.training.sharding import shard_networks
from train_step import Setting

_WARM = 2


def main() -> None:
    """Measure rounds of one and of several processes in turn, and print the seconds of each as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="baseline")
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    arguments = (asked.method, asked.settings, asked.size, asked.batch, asked.steps)
    rounds = [(seconds(1, arguments), seconds(asked.devices, arguments)) for _ in range(asked.rounds)]
    print(json.dumps({"one": [one for one, _ in rounds], "all": [every for _, every in rounds]}))
    for one, every in rounds:
        print(f"{one:.3f} s on one process, {every:.3f} s on {asked.devices} together: efficiency {one / every:.2f}")


def seconds(devices: int, arguments: tuple[Any, ...]) -> float:
    """Return the CPU seconds of a step, of all processes together."""
    with tempfile.TemporaryDirectory() as folder:
        together(Launch("the benchmark", devices, 1, "gloo"), measure, (Path(folder), arguments), None)
        return sum(json.loads(file.read_text()) for file in Path(folder).iterdir())


def measure(folder: Path, arguments: tuple[Any, ...], tracker: Any) -> None:
    """Write the CPU seconds of this process's steps."""
    name, settings, size, batch, steps = arguments
    setting = Setting(name, settings, size, batch, fast=False)
    shard_networks(setting.method)
    began = 0.0
    for number in range(_WARM + steps):
        if number == _WARM:
            began = used()
        setting.optimisers.step(setting.method.step(setting.batch, setting.stage))
    (folder / str(dist.get_rank())).write_text(json.dumps((used() - began) / steps))


def used() -> float:
    """Return the CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
