"""Randomness comes from one seed, split by name."""

import hashlib

import numpy as np


def seed_for(*names: str | int) -> int:
    """Derive an independent seed from a root seed and the names of what it is for.

    ``seed_for(0, "augment", epoch, index)`` is the same number on every machine and in every
    process, so the order in which workers draw never matters.

    Args:
        *names: the root seed followed by the names that lead to the draw.

    Returns:
        An integer in [0, 2**63).
    """
    digest = hashlib.blake2b(repr(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator_for(*names: str | int) -> np.random.Generator:
    """Return a NumPy generator seeded by :func:`seed_for`."""
    return np.random.Generator(np.random.PCG64(seed_for(*names)))
