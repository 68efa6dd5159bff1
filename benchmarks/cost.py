"""Hours and euros of whole studies on a GPU: counted from the plan, and from measured rates or from assumptions.

    python benchmarks/cost.py addl_table3 five_papers addl_table10
    python benchmarks/cost.py addl_table3 --measured build/gpu.json

Runs, epochs and batch sizes are those that `--env paper` plans, with the prerequisites, each once. Without --measured a
step takes the longer of two assumed times: its floating-point operations at a share of the GPU's limit, and its
operations (kernels) one after the other. A training step is taken for three forward passes, all networks included.
Validation, prediction and reading are not counted.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from openfer.methods.contract import BalancedSubset, Stage
from openfer.methods.declaration import METHODS
from openfer.methods.untrained import noise_batch, untrained
from openfer.nn.weight_manifest import with_weights
from openfer.runs.plan import RunPlan, chain_of
from openfer.runs.project import plan
from openfer.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS
from openfer.training.memory import without_numbers

ROOT = Path(__file__).parents[1]

IMAGES = {
    "raf_db": 12_271,
    "affectnet": 283_901,
    "affectnet_va": 320_739,
    "ferplus": 28_709,
    "aff_wild2": 904_825,
    "mmi": 3 * 205 * 9 // 10,
    "ck_plus": 3 * 327 * 9 // 10,
    "oulu_casia": 3 * 480 * 9 // 10,
    "sfew": 958,
    "celeba": 162_770,
    "multi_pie": 337 * 15 * 19,
}
"""Training images by dataset as published, nine folds of ten where there are folds; of Multi-PIE every combination."""

OF_EIGHT_CLASSES = 8
FORWARD_PASSES = 3
"""Forward passes that a training step is worth: the backward pass costs two."""


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of a GPU.

    Attributes:
        limit: floating-point operations per second of large products in bfloat16, in units of 10^12.
        share: of the limit that convolutions reach.
        microseconds: of an operation that is started, however small it is.
        euros: of an hour.
    """

    limit: float
    share: float
    microseconds: float
    euros: float


class Operations(TorchDispatchMode):
    """Counts operations that start something on a GPU: all but views and questions about a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        self.count += func.namespace == "aten" and not func.is_view
        return func(*args, **(kwargs or {}))


@cache
def stages_of(method: str, settings: str) -> tuple[tuple[Stage, float, int], ...]:
    """Return the stages of a method, with floating-point operations per image and operations per step of each."""
    with without_numbers():
        own = untrained(method, json.loads(settings))
        found = []
        for stage in own.stages():
            batch = noise_batch(own, 2, METHODS[method].input_side, "cuda")
            with FlopCounterMode(display=False) as flops:
                own.step(batch, stage)
            with Operations() as operations:
                own.step(batch, stage)
            found.append((stage, FORWARD_PASSES * flops.get_total_flops() / 2, FORWARD_PASSES * operations.count))
    return tuple(found)


def images_of(run: RunPlan, stage: Stage) -> int:
    """Return the images of an epoch; a balanced subset is taken for full in eight classes."""
    unknown = [name for name in run.settings.datasets if name not in IMAGES]
    if unknown:
        raise SystemExit(f"the number of training images of {', '.join(unknown)} is not known; add it to IMAGES")
    there = sum(IMAGES[name] for name in run.settings.datasets)
    sampling = stage.schedule.sampling
    return min(there, OF_EIGHT_CLASSES * sampling.per_class) if isinstance(sampling, BalancedSubset) else there


def seconds_of(run: RunPlan, assumed: Assumptions, measured: Mapping[str, float]) -> tuple[float, float]:
    """Return the images that a run trains on, and its seconds on one GPU."""
    images = seconds = 0.0
    for stage, flops, operations in stages_of(run.method, json.dumps(_settings(run))):
        shown = images_of(run, stage) * stage.schedule.epochs
        by_compute = flops / (assumed.share * assumed.limit * 1e12)
        by_starts = operations * assumed.microseconds / 1e6 / stage.schedule.batch_size
        images += shown
        seconds += shown * (1 / measured[run.method] if run.method in measured else max(by_compute, by_starts))
    return images, seconds


def studied(name: str) -> list[RunPlan]:
    """Return the runs of a study of `--env paper` with all that they need, each once."""
    loader = CONFIG_LOADER_CLASS(str(ROOT / "conf"), env="paper", **{**CONFIG_LOADER_ARGS, "local_env": None})
    parameters = with_weights(loader["parameters"], loader["weights"]) | {"study": name}
    study = plan(parameters).study
    assert study is not None
    return list(chain_of(study.runs.values()).values())


def of_measured(file: Path | None) -> dict[str, float]:
    """Return images per second by method in bfloat16, at the batch size that is nearest to each method's own."""
    rows = [] if file is None else json.loads(file.read_text()).get("training", [])
    known = [row for row in rows if row["arithmetic"] == "bfloat16" and row["images_per_second"] is not None]
    by_method = defaultdict(list)
    for row in known:
        own = METHODS[row["method"]].settings().schedule.batch_size
        by_method[row["method"]].append((abs(row["batch"] - own), row["images_per_second"]))
    return {method: min(rates)[1] for method, rates in by_method.items()}


def table(runs: Iterable[RunPlan], assumed: Assumptions, measured: Mapping[str, float]) -> list[str]:
    """Return rows of Markdown: by method, and of all."""
    counts, images, hours = Counter[str](), Counter[str](), Counter[str]()
    for run in runs:
        shown, seconds = seconds_of(run, assumed, measured)
        counts[run.method] += 1
        images[run.method] += shown
        hours[run.method] += seconds / 3600
    rates = {method: "measured" if method in measured else "assumed" for method in counts}
    lines = [_row(name, counts[name], images[name], hours[name], assumed, rates[name]) for name in counts]
    together = _row("all", counts.total(), images.total(), hours.total(), assumed, "")
    return ["| method | trainings | images | GPU hours | euros | rate |", "|---|---|---|---|---|---|", *lines, together]


def _row(name: str, count: int, images: float, hours: float, assumed: Assumptions, rate: str) -> str:
    return f"| {name} | {count:,} | {images / 1e6:,.1f} M | {hours:,.1f} | {hours * assumed.euros:,.0f} | {rate} |"


def _settings(run: RunPlan) -> dict[str, Any]:
    settings = run.settings.settings
    return settings if isinstance(settings, dict) else settings.model_dump(mode="json")


def main() -> None:
    """Print a table for each study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+", help="names of studies of --env paper")
    parser.add_argument("--measured", type=Path, help="results of benchmarks/gpu.sh")
    parser.add_argument("--limit", type=float, default=300.0, help="of large products in bfloat16, 10^12 per second")
    parser.add_argument("--share", type=float, default=0.25, help="of the limit that convolutions reach")
    parser.add_argument("--microseconds", type=float, default=20.0, help="to start an operation")
    parser.add_argument("--euros", type=float, default=2.0, help="of a GPU hour")
    options = parser.parse_args()
    assumed = Assumptions(options.limit, options.share, options.microseconds, options.euros)
    measured = of_measured(options.measured)
    for name in options.studies:
        print(f"{name}\n\n" + "\n".join(table(studied(name), assumed, measured)) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
