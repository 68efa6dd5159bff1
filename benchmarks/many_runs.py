"""A study by Ray, two runs at a time with a thread each, beside the same study one run after the other.

Each way trains in a copy of one project whose faces are rendered, from the same weights; then the weights
and predictions of both ways with one thread are compared byte for byte. Usage, on a machine with nothing else to do:

    python benchmarks/many_runs.py                      # 8 runs of Baseline
    python benchmarks/many_runs.py --methods baseline oadn --seeds 0 1 --epochs 2
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from openfer.io.atomic import sha256_of
from projects import kedro_run, lay_out, surroundings

_NAME = "ratio"
_TABLE = ("--pipelines", "study", "--to-nodes", f"studies.{_NAME}.table")
_RAY = ("--runner", "openfer.runners.RayRunner")
WAYS: dict[str, tuple[tuple[str, ...], bool]] = {
    "one after the other, all cores": ((), False),
    "one after the other, one thread": ((), True),
    "by Ray, a run on each core": (_RAY, True),
}
"""Further words of the command, and whether it has one thread."""


def main() -> None:
    """Time each way, print the seconds and their ratio to Ray's, and say whether all found the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=["baseline"])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(8)))
    parser.add_argument("--epochs", type=int, default=3)
    asked = parser.parse_args()
    schedule = {"settings": {"schedule": {"epochs": asked.epochs}}}
    study = {
        "title": "Many runs",
        "seeds": asked.seeds,
        "runs": dict.fromkeys(asked.methods, schedule),
        "columns": {"synthetic_fer": {"datasets": ["synthetic_fer"]}},
        "rows": {name: {"method": name} for name in asked.methods},
    }
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "faces"
        lay_out(first, {}, {"study": _NAME, _NAME: study})
        run(first, "--pipelines", "study", "--to-nodes", "synthetic_fer.groups,synthetic_fer.leakage")
        seconds, found = {}, {}
        for number, (way, (words, alone)) in enumerate(WAYS.items()):
            project = shutil.copytree(first, Path(folder) / str(number))
            begun = time.monotonic()
            run(project, *_TABLE, *words, **({"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"} if alone else {}))
            seconds[way], found[way] = time.monotonic() - begun, results(project)
    *others, ray = WAYS
    facts = {"runs": len(asked.seeds) * len(asked.methods), "cores": len(os.sched_getaffinity(0)), "seconds": seconds}
    print(json.dumps(facts))
    for way in others:
        print(
            f"{way}: {seconds[way]:.0f} s, {seconds[way] / seconds[ray]:.2f} times those of Ray ({seconds[ray]:.0f} s)"
        )
    same = found[ray] == found["one after the other, one thread"]
    print(f"{len(found[ray])} files of weights and predictions: {'equal bytes' if same else 'NOT EQUAL'}")
    sys.exit(0 if same and found[ray] else 1)


def run(project: Path, *words: str, **environment: str) -> None:
    """Type `kedro run` in a project."""
    subprocess.run(kedro_run(*words), cwd=project, env=surroundings(**environment), check=True)


def results(project: Path) -> dict[str, str]:
    """Return the hash of each file of weights and predictions."""
    files = [file for layer in ("06_models", "07_model_output") for file in (project / "data" / layer).rglob("*")]
    kept = [file for file in files if file.suffix in (".safetensors", ".parquet") and ".work" not in file.parts]
    return {str(file.relative_to(project)): sha256_of(file) for file in kept}


if __name__ == "__main__":
    main()
