"""Extra forward passes that leave no trace in a method's statistics."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from openfer.methods.contract import Method


@contextmanager
def unchanged_buffers(method: Method) -> Iterator[None]:
    """Give a method the buffers back that it had at the beginning, such as the statistics of batch normalisation."""
    before = [buffer.clone() for buffer in method.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(method.buffers(), before, strict=True):
                buffer.copy_(value)
