"""Latency of one face: torch against ONNX Runtime with 32-bit numbers and with 8-bit integers.

    OMP_NUM_THREADS=1 python benchmarks/model_files.py --side 112 --trunk resnet18

Baseline with random weights; times depend on shapes and not on weights. All three run in one process on one thread, in
turn and in random order. The median is printed with the 10th and 90th percentile.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from openfer.export.graph import Answering
from openfer.export.onnx_file import onnx_graph
from openfer.export.quantise import integers
from openfer.labels import BASIC_EXPRESSIONS
from openfer.methods.registry import build
from openfer.nn.latency import device_name, time_interleaved
from openfer.training.config import ImageSettings


def main() -> None:
    """Export one network twice and time it three ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=112, help="of the crop, pixels")
    parser.add_argument("--trunk", choices=("resnet18", "dlib_resnet29"), default="resnet18")
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    method = build("baseline", {"trunk": arguments.trunk}, {"expression": BASIC_EXPRESSIONS})
    network = Answering(method, ImageSettings(crop=arguments.side))
    faces = np.random.default_rng(0).integers(0, 256, (16, arguments.side, arguments.side, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        plain.write_bytes(onnx_graph(network, [torch.from_numpy(faces)]).SerializeToString())
        integers(plain, small, {"faces": faces})
        size = {path.stem: path.stat().st_size / 1e6 for path in (plain, small)}
        one = torch.from_numpy(faces[:1])
        calls = {"torch": lambda: network(one)}
        calls |= {f"ONNX Runtime {path.stem}": session(path, faces[:1]) for path in (plain, small)}
        times = time_interleaved(calls, arguments.rounds, 5, torch.device("cpu"))
    print(
        f"Baseline, {arguments.trunk}, {arguments.side} pixels, batch 1, 1 thread, {device_name(torch.device('cpu'))}, "
        f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, {arguments.rounds} rounds"
    )
    base = float(np.median(times["torch"]))
    for name, taken in times.items():
        low, middle, high = np.percentile(taken, (10, 50, 90))
        megabytes = size.get(name.split()[-1])
        told = "" if megabytes is None else f", {megabytes:.1f} MB"
        print(f"{name:22} {middle:6.1f} ms ({low:.1f} to {high:.1f}), {base / middle:.1f} times as fast as torch{told}")


def session(path: Path, face: np.ndarray) -> Callable[[], object]:
    """Return a call that answers for one face on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    opened = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: opened.run(None, {"faces": face})


if __name__ == "__main__":
    main()
