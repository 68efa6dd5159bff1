"""Memory that is free inside a process, given back to the system."""

import ctypes
import gc

import pyarrow as pa

pa.set_memory_pool(pa.system_memory_pool())
"""Arrow's own pools keep what is free, up to as much again as a table takes."""


def give_back_memory() -> None:
    """Return what tables have left behind: the C library's heap keeps it otherwise.

    A long run of many nodes then needs the memory of its largest node, not of all that went before.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other systems give back by themselves
    if trim is not None:
        trim(0)
