"""What a GPU does with openfer, as JSON. benchmarks/gpu.sh starts it and stops it after eight minutes.

    benchmarks/gpu.sh                       # everything, on the GPU: build/gpu.json
    benchmarks/gpu.sh --parts tests input   # some parts
    benchmarks/gpu.sh --small               # tiny sizes on the CPU, to try the script itself

Parts: ``tests`` (those that need a GPU), ``limits`` (large products of matrices), ``input`` (faces from the store to
the device, and training that waits for them), ``study`` (`kedro run` of a whole study: 20,000 rendered faces of 224
pixels; Baseline, ADDL and ``geometry`` from open weights), ``training`` (all methods, arithmetics and batch sizes).

Every figure that is not known is null, and ``unknown`` beside it says why. The file is written after every record;
``complete`` is true at the end.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gpu_input import alone, stored, training
from gpu_records import NO_GPU, Clock, Record, record, write
from gpu_study import FULL as FULL_STUDY
from gpu_study import ROWS, study_records
from gpu_study import SMALL as SMALL_STUDY
from gpu_training import ARITHMETICS, Sizes, all_methods, limits, rows
from openfer.io.git import revision
from openfer.nn.latency import device_name
from openfer.training.config import TrainingConfig
from openfer.training.device import Plan, resolve

ROOT = Path(__file__).parents[1]
PARTS = ("tests", "limits", "input", "study", "training")
SECONDS = 440.0
"""Of all parts together. The script may take 480, and Python needs some to start."""

TESTS = tuple(f"tests/training/test_{name}.py" for name in ("waits", "energy", "device"))
_WORDS = "gpu or cuda"
_TESTS_SECONDS = 60.0
"""Of each file."""

_SHARE_OF_STUDY = 0.6
"""Of the time that is left before it, where training follows."""

_OUTCOMES = ("passed", "failed", "skipped")

FULL = Sizes(all_methods(), (64, 128, 256, 32, 16), None, 0.3, 8192)
SMALL = Sizes(all_methods(), (2,), 64, 0.0, 512)


def machine(device: torch.device) -> Record:
    """Return what the figures depend on."""
    facts = {
        "device": device_name(device),
        "gpu": device.type == "cuda",
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "system": platform.platform(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        **revision(ROOT),
    }
    memory = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else NO_GPU
    return record(facts, {"memory_bytes": memory})


def run_tests(file: str, device: torch.device, clock: Clock) -> Record:
    """Run those tests of a file that need a GPU, and count their outcomes."""
    if device.type != "cuda":
        return record({"file": file}, dict.fromkeys(_OUTCOMES, NO_GPU))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", file, "-k", _WORDS, "-q", "-p", "no:cacheprovider"]
        try:
            subprocess.run(
                [*command, "--junit-xml", str(report), "--basetemp", f"{folder}/pytest"],
                cwd=ROOT,
                stdout=sys.stderr,
                timeout=min(_TESTS_SECONDS, clock.left),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return record({"file": file}, dict.fromkeys(_OUTCOMES, "the tests did not end in time"))
        suite = ElementTree.parse(report).getroot().find("testsuite")
        assert suite is not None
        counted = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    failed = counted["failures"] + counted["errors"]
    passed = counted["tests"] - failed - counted["skipped"]
    return record({"file": file}, {"passed": passed, "failed": failed, "skipped": counted["skipped"]})


def input_records(plan: Plan, clock: Clock, *, small: bool) -> Iterator[tuple[str, Record]]:
    """Yield the records of the input pipeline, alone and below training."""
    crop, batch, different, count, seconds = (64, 4, 2, 16, 0.0) if small else (224, 64, 64, 4096, 4.0)
    workers = (0,) if small else tuple(dict.fromkeys((0, 1, plan.workers, len(os.sched_getaffinity(0)))))
    with tempfile.TemporaryDirectory() as folder:
        store = stored(Path(folder), crop, different, count)
        for found in alone(store, crop, batch, plan, workers, seconds, clock):
            yield "input", found
        for found in training(store, crop, batch, plan, ("baseline", "addl"), seconds, clock):
            yield "training_with_input", found


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="tiny sizes on the CPU")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    methods = list(dict.fromkeys((*FULL.methods, *ROWS.values())))
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods)
    parser.add_argument("--out", type=Path, default=ROOT / "build/gpu.json")
    options = parser.parse_args()
    if not options.small and not torch.cuda.is_available():
        parser.error(f"{NO_GPU}; try the script on the CPU with --small")

    clock = Clock(SECONDS)
    plan = resolve(TrainingConfig(device="cpu" if options.small else "cuda"))
    sizes = SMALL if options.small else FULL
    sizes = replace(sizes, methods=[name for name in options.methods if name in FULL.methods])
    result: dict[str, Any] = {"format": 1, "small": options.small, "complete": False, "machine": machine(plan.device)}

    def note(part: str, found: Record, *, several: bool = True) -> None:
        if several:
            result.setdefault(part, []).append(found)
        else:
            result[part] = found
        result["seconds"] = round(clock.passed, 1)
        write(options.out, result)
        known = (f"{name} {_short(value)}" for name, value in found.items() if name != "unknown" and value is not None)
        print(f"{part}: {', '.join(known)}", flush=True)

    if "tests" in options.parts:
        for file in TESTS:
            note("tests", run_tests(file, plan.device, clock))
    limit: Record = record({}, dict.fromkeys(ARITHMETICS, "the part limits was not asked for"))
    if "limits" in options.parts:
        limit = limits(plan.device, sizes.matrix)
        note("limits", limit, several=False)
    if "input" in options.parts:
        for part, found in input_records(plan, clock, small=options.small):
            note(part, found)
    if "study" in options.parts:
        study = SMALL_STUDY if options.small else FULL_STUDY
        own = clock.part(_SHARE_OF_STUDY if "training" in options.parts else 1)
        for part, found in study_records(study, options.methods, plan.device.type, own):
            note(part, found)
    if "training" in options.parts:
        for found in rows(sizes, plan.device, limit, clock):
            note("training", found)
    result["complete"] = True
    write(options.out, result)
    print(f"{options.out}: {clock.passed:.0f} s")


if __name__ == "__main__":
    main()
