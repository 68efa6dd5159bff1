"""What PyTorch notes when it traces a network for a file."""

import contextlib
from collections.abc import Iterator

import torch.fx.config as config


@contextlib.contextmanager
def without_stack_traces() -> Iterator[None]:
    """Keep the lines of code behind each operation, with the paths of this machine, out of traced networks."""
    before = config.do_not_emit_stack_traces
    config.do_not_emit_stack_traces = True
    try:
        yield
    finally:
        config.do_not_emit_stack_traces = before
