"""How much memory the pipeline `ingest` takes, for a small and for a large raw folder.

    python benchmarks/ingest_memory.py --images 20000 200000

Each folder holds the given number of tiny JPEG files, all different, as
`<train|test>/<class>/<thousand>/<n>.jpg`. A fresh process runs the pipeline on it as `kedro run` does,
with `align: whole` and two workers. A peak is the operating system's own high-water mark of a process (Linux); that of
workers is read ten times a second. It counts the pages of libraries and of mapped files too. "start" is the main
process's peak until the first node begins.
"""

import argparse
import io
import logging
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from kedro.framework.hooks import hook_impl
from PIL import Image

ROOT = Path(__file__).parents[1]
CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
SIDE = 32
BLOCK = """
mine:
  reader: folder
  root: {root}
  faces: {{align: whole, size: {side}, workers: {workers}}}
  protocol: {{kind: official}}
"""


def fill(root: Path, count: int) -> None:
    """Write different images of smooth colours into class folders; one in five tests."""
    draw = np.random.default_rng(0)
    for number in range(count):
        side = "test" if number % 5 == 0 else "train"
        folder = root / side / CLASSES[number % len(CLASSES)] / f"{number // 1000:04d}"
        if number % 1000 < 5 * len(CLASSES):  # by then each folder of its thousand has been new
            folder.mkdir(parents=True, exist_ok=True)
        coarse = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((SIDE, SIDE)).save(buffer, "JPEG", quality=80)
        (folder / f"{number:07d}.jpg").write_bytes(buffer.getvalue())


def lay_out(project: Path, root: Path, workers: int) -> Path:
    """Make a Kedro project with this one's configuration and a block for the images."""
    (project / "src").mkdir(parents=True)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, project / name)
    shutil.copytree(ROOT / "conf", project / "conf", ignore=shutil.ignore_patterns("local"))
    local = project / "conf/local"
    local.mkdir()
    (local / "parameters.yml").write_text(BLOCK.format(root=root, side=SIDE, workers=workers))
    return project


def peak(pid: int | str = "self") -> float:
    """Return the high-water mark of a process's resident memory in MiB; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


class PeakByNode:
    """Says how high each node drove this process, with loading, saving and hashing."""

    def __init__(self) -> None:
        self._last = "start"

    @hook_impl
    def before_node_run(self, node: Any) -> None:
        """Return the peak memory of the process since the last call, and reset it."""
        self.say()
        self._last = node.name

    def say(self) -> None:
        """Print the peak and reset the system's mark."""
        print(f"peak {peak():.1f} {self._last}", flush=True)
        Path("/proc/self/clear_refs").write_text("5")


def ingest(project: Path) -> None:
    """Run the pipeline in this process and say the peak of every node."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from openfer.runners import IdempotentRunner

    bootstrap_project(project)
    with KedroSession.create(project, runtime_params={"dataset": "mine"}) as session:
        said = PeakByNode()
        session._hook_manager.register(said)
        logging.getLogger("openfer").setLevel(logging.WARNING)
        session.run(pipeline_names=["ingest"], runner=IdempotentRunner())
    said.say()


def watch(process: "subprocess.Popen[str]", highest: dict[int, float]) -> None:
    """Note the peaks of a process's children, and under ``process.pid`` that of all together, until it ends.

    Together counts what processes share once (proportional set size).
    """
    while process.poll() is None:
        try:
            own = psutil.Process(process.pid)
            children = own.children(recursive=True)
            together = sum(each.memory_full_info().pss for each in (own, *children)) / 2**20
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        highest[process.pid] = max(highest.get(process.pid, 0.0), together)
        for child in children:
            highest[child.pid] = max(highest.get(child.pid, 0.0), peak(child.pid))
        time.sleep(0.1)


def measure(count: int, workers: int, *, verbose: bool) -> tuple[float, float, float, float, float]:
    """Return the main process's start and peak, the highest worker's, that of all together (MiB), and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder) / "raw", count)
        project = lay_out(Path(folder) / "project", Path(folder) / "raw", workers)
        start = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, __file__, "--project", str(project)], stdout=subprocess.PIPE, text=True, cwd=project
        ) as process:
            workers_peaks: dict[int, float] = {}
            watcher = threading.Thread(target=watch, args=(process, workers_peaks))
            watcher.start()
            said = process.stdout.read() if process.stdout else ""
            watcher.join()
        if process.returncode:
            raise SystemExit(said)
        lines = [line for line in said.splitlines() if line.startswith("peak ")]
        if verbose:
            print("\n".join(lines))
        peaks = [float(line.split()[1]) for line in lines]
        together = workers_peaks.pop(process.pid)
        worker = max(workers_peaks.values(), default=0.0)
        return peaks[0], max(peaks), worker, together, time.perf_counter() - start


def main() -> None:
    """Measure all sizes and compare the last with the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="also print the main process's peak in each node")
    parser.add_argument("--project", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.project:
        ingest(given.project)
        return
    found = [measure(count, given.workers, verbose=given.verbose) for count in given.images]
    print("  images  start MiB   main MiB  worker MiB   all MiB  seconds  images/s")
    for count, (*peaks, seconds) in zip(given.images, found, strict=True):
        print("{:8,} {:10.0f} {:10.0f} {:11.0f} {:9.0f}".format(count, *peaks), end="")
        print(f" {seconds:8.0f} {count / seconds:9.0f}")
    first, last = found[0], found[-1]
    ratios = (f"{name} {last[place] / first[place]:.3f}" for place, name in enumerate(("main", "worker", "all"), 1))
    print(f"last / first: {', '.join(ratios)}")


if __name__ == "__main__":
    main()
