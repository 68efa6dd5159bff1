"""Memory and time of OADN's attention at batch 32: as a product of matrices, and as the products of maps of the paper.

Each is run forward and backward in a separate process, which reports its peak memory beyond its
inputs::

    python benchmarks/landmark_attention.py
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch
from torch import Tensor

from openfer.nn.landmark_attention import attended_features, strongest

_KILOBYTES = 1024


def naive(features: Tensor, maps: Tensor) -> Tensor:
    """Return f_i^A by multiplying each map with all channels first."""
    return (features[:, None] * maps[:, :, None]).mean((3, 4))


_WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"fused": attended_features, "naive": naive}


def measure(way: str, batch: int, backward: bool, answer: Connection) -> None:
    """Send the bytes beyond the inputs, the seconds, and the result's checksum."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(batch, 2048, 14, 14, generator=generator).requires_grad_(backward)
    maps = torch.rand(batch, 24, 14, 14, generator=generator)
    kept = torch.ones(maps.shape[:2], dtype=torch.bool)
    small = strongest(_WAYS[way](features[:1], maps[:1]), kept[:1])  # what libraries allocate once does not count
    if backward:
        small.sum().backward()
        features.grad = None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    result = strongest(_WAYS[way](features, maps), kept)
    if backward:
        result.square().sum().backward()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answer.send((peak * _KILOBYTES, seconds, float(result.detach().sum())))


def main() -> None:
    """Print megabytes and seconds of both ways, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    batch = parser.parse_args().batch
    context = multiprocessing.get_context("spawn")
    print(f"24 maps of 14 x 14 cells on 2048 channels, batch {batch}, float32, one thread")
    for backward in (False, True):
        found = {}
        for way in _WAYS:
            ours, theirs = context.Pipe()
            process = context.Process(target=measure, args=(way, batch, backward, theirs))
            process.start()
            found[way] = ours.recv()
            process.join()
        print("forward and backward" if backward else "forward")
        for way, (peak, seconds, checksum) in found.items():
            print(f"  {way}: {peak / 1e6:8.1f} MB beyond the inputs, {seconds:6.3f} s, sum {checksum:.3f}")
        print(f"  naive / fused: {found['naive'][0] / max(found['fused'][0], 1):.1f} times the memory")


if __name__ == "__main__":
    main()
