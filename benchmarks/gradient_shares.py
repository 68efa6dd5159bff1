"""Each loss term's share of the gradient of the layers that all terms share, at random weights on rendered faces.

Usage, after `kedro run --pipelines synthesize`:

    python benchmarks/gradient_shares.py data/03_primary/synthetic_fer/faces
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from openfer.io.face_store import FaceStore
from openfer.labels import BASIC_EXPRESSIONS
from openfer.methods.contract import GRADIENT_SHARE, WATCH, Batch
from openfer.methods.registry import build
from openfer.training.gradient_share import gradient_shares

WEIGHTS = (0.1, 1.0)
CASES = [
    (method, side, settings | {"diversity": {"weight": weight}})
    for method, side, settings in (
        *(("esr", 64, {"branches": count}) for count in (2, 3, 9, 15)),
        ("esr", 96, {"branches": 9}),
        ("manet", 64, {}),
    )
    for weight in WEIGHTS
]
COUNT = 16


def main() -> None:
    """Print a line per method, image size and settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="a face store")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    store = FaceStore(options.faces)
    rows = np.linspace(0, len(store.sample_ids) - 1, COUNT, dtype=int)
    faces = torch.stack([torch.from_numpy(store.image(int(row))).permute(2, 0, 1) for row in rows]) / 255
    labels = {"expression": torch.arange(COUNT) % len(BASIC_EXPRESSIONS)}  # any labels: the weights are random too
    for name, side, settings in CASES:
        torch.manual_seed(options.seed)
        method = build(name, settings, {"expression": BASIC_EXPRESSIONS}).train()
        images = F.interpolate(faces, (side, side), mode="bilinear", antialias=True)
        losses = method.step(Batch(images, labels), method.stages()[-1])["main"]
        shares = gradient_shares(losses, method.shared_parameters())
        words = (f"{key.removeprefix(WATCH + GRADIENT_SHARE)} {value:.1%}" for key, value in shares.items())
        print(f"{name}, {side} pixels, {settings}: {', '.join(words)}", flush=True)


if __name__ == "__main__":
    main()
