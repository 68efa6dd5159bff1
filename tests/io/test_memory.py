import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from openfer.io.memory import give_back_large_blocks, give_back_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and the settings are glibc's")
MIB = 1 << 20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_blocks_between_others_go_back_at_once_where_that_is_chosen() -> None:
    give_back_large_blocks(at_once=True)
    try:
        blocks = [np.ones(MIB // 8) for _ in range(64)]
        before = resident()
        del blocks[::2]
        assert before - resident() > 24 * MIB
    finally:
        give_back_large_blocks(at_once=False)


def test_what_small_blocks_have_left_goes_back_when_asked_for() -> None:
    blocks = [np.ones(1 << 10) for _ in range(4096)]
    before = resident()
    del blocks
    give_back_memory()
    assert before - resident() > 24 * MIB


def test_arrow_takes_memory_of_the_system() -> None:
    assert pa.default_memory_pool().backend_name == "system"
