"""What goes back to the system; each in a process of its own, whose heap no other test has shaped."""

import subprocess
import sys

import pyarrow as pa
import pytest

import openfer.io.memory  # noqa: F401 - chooses Arrow's pool

ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and the settings are glibc's")
SCRIPT = """
import os
from pathlib import Path
import numpy as np
from openfer.io.memory import give_back_large_blocks, give_back_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

"""


def given_back(lines: str) -> float:
    """Return how many MiB are resident at ``before`` and no more at the end of a script."""
    code = SCRIPT + lines + "\nprint(before - resident())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


@ONLY_LINUX
@pytest.mark.parametrize("at_once", [True, False])
def test_blocks_between_others_go_back_at_once_where_that_is_chosen(at_once: bool) -> None:
    freed = given_back(f"""
give_back_large_blocks(at_once={at_once})
blocks = [np.ones(2**20 // 8) for _ in range(64)]
before = resident()
del blocks[::2]""")
    assert freed > 24 if at_once else freed < 8


@ONLY_LINUX
def test_what_small_blocks_have_left_goes_back_when_asked_for() -> None:
    freed = given_back("""
blocks = [np.ones(1 << 10) for _ in range(4096)]
before = resident()
del blocks
give_back_memory()""")
    assert freed > 24


def test_arrow_takes_memory_of_the_system() -> None:
    assert pa.default_memory_pool().backend_name == "system"
