"""Diversity at random weights on rendered faces: what each reading of the equations leaves of it.

For every quantity that is diversified: the median squared distance of two learners (as a sum and as a mean), the mean
similarity S off the diagonal, and the largest gradient of D with respect to the features. Usage, after
`kedro run --pipelines synthesize`:

    python benchmarks/diversity.py data/03_primary/synthetic_fer/faces
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from openfer.io.face_store import FaceStore
from openfer.losses.diversity import diversity, over_channels, over_space, similarity_matrix
from openfer.nn.esr_network import ESRNetwork, stack_gates
from openfer.nn.manet_network import MANetwork

READINGS = (("sum", "det"), ("mean", "det"), ("mean", "logdet"))
BRANCHES = 9
SIDES = {"ESR-9": (64, 96), "MA-Net": (64, 224)}


def learners(name: str, images: Tensor) -> dict[str, Tensor]:
    """Return what a network with random weights would be made diverse in, (L, N, ...) each."""
    with torch.no_grad():
        if name == "ESR-9":
            channel, spatial = stack_gates(ESRNetwork(BRANCHES, attention=True).train()(images, BRANCHES))
            return {"channel gates": channel, "spatial gates": spatial}
        seen = MANetwork().train()(images)
    return {
        "patches by channel": over_space(seen.patches),
        "patches by place": over_channels(seen.patches),
        "branches": seen.features(),
    }


def describe(features: Tensor, gamma: float) -> str:
    """Return distances, and S and the gradient of D for every reading."""
    flat = features.flatten(2)
    one, other = torch.triu_indices(len(flat), len(flat), offset=1)
    squares = (flat[one] - flat[other]).square()
    words = f"d sum {squares.sum(-1).median():8.3g}, mean {squares.mean(-1).median():8.3g}"
    for distance, surrogate in READINGS:
        phi = features.clone().requires_grad_()
        similarity = similarity_matrix(phi, gamma, distance)
        value = diversity(similarity, surrogate)
        value.backward()
        words += f" | {distance} {surrogate}: S {similarity[one, other].mean():.2g}, D {value:.2g}, "
        words += f"gradient {phi.grad.abs().max():.1e}"
    return words


def main() -> None:
    """Print a line per network, image size and quantity."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="a face store")
    parser.add_argument("--count", type=int, default=32, help="faces in the batch")
    parser.add_argument("--gamma", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    store = FaceStore(options.faces)
    rows = np.linspace(0, len(store.sample_ids) - 1, options.count, dtype=int)
    faces = torch.stack([torch.from_numpy(store.image(int(row))).permute(2, 0, 1) for row in rows]) / 127.5 - 1
    for name, sides in SIDES.items():
        for side in sides:
            torch.manual_seed(options.seed)
            images = F.interpolate(faces, (side, side), mode="bilinear", antialias=True)
            for quantity, features in learners(name, images).items():
                print(f"{name}, {side} pixels, {quantity}: {describe(features, options.gamma)}", flush=True)


if __name__ == "__main__":
    main()
