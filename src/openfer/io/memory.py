"""Memory that is free inside a process, given back to the system."""

import ctypes
import gc

import pyarrow as pa

pa.set_memory_pool(pa.system_memory_pool())
"""Arrow's own pools keep what is free, up to as much again as a table takes.

``openfer/__init__.py`` says the same to what Arrow does inside, by a variable that is read when Arrow is imported;
here it is said once more, for a process that had imported Arrow before.
"""

LARGE_TABLES = "large_tables"
"""Tag of nodes in which memory counts more than time: see :func:`give_back_large_blocks`."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_SMALL, _LARGE = 1 << 17, 1 << 25  # the least and the most that glibc's own rule arrives at


def give_back_large_blocks(*, at_once: bool) -> None:
    """Choose whether the C library gives back each large block when it is free, or keeps it for the next one.

    Keeping is faster where blocks of one size come again and again, as in training. Tables of different sizes leave
    gaps in what is kept, up to as much again as they take.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(_MMAP_THRESHOLD, _SMALL if at_once else _LARGE)
        choose(_TRIM_THRESHOLD, _SMALL if at_once else 2 * _LARGE)


def give_back_memory() -> None:
    """Return what tables have left behind: the C library's heap keeps it otherwise.

    A long run of many nodes then needs the memory of its largest node, not of all that went before.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other systems give back by themselves
    if trim is not None:
        trim(0)
