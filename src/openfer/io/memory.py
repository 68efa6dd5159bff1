"""Memory that is free inside a process, given back to the system."""

import ctypes
import gc

import pyarrow as pa


def give_back_memory() -> None:
    """Return what tables have left behind: Arrow's pool and the C library's heap keep it otherwise.

    A long run of many nodes then needs the memory of its largest node, not of all that went before.
    """
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other systems give back by themselves
    if trim is not None:
        trim(0)
