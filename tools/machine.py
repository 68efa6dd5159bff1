"""Print what results can depend on: processor, threads, memory, Python and library versions; one fact a line."""

import locale
import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
"""Instruction sets that kernels are chosen by."""

VARIABLES = (
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"),
    "OPENBLAS_CORETYPE",
)
LIBRARIES = (
    *("torch", "torchvision", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "pillow", "warp-lang", "anny"),
    *("kedro", "kedro-datasets", "mlflow", "dvc", "pytest", "pytest-xdist"),
)


def processor() -> str:
    """Return the processor's name and which of the flags it has."""
    file = Path("/proc/cpuinfo")
    said = file.read_text() if file.exists() else ""
    name = re.search(r"^model name\s*: (.*)", said, re.MULTILINE)
    found = re.search(r"^flags\s*: (.*)", said, re.MULTILINE)
    own = set(found[1].split()) if found else set()
    flags = " ".join(f"{'' if flag in own else 'no '}{flag}" + "," for flag in FLAGS).rstrip(",")
    return f"{name[1] if name else platform.processor() or 'unknown'} ({flags if found else 'flags unknown'})"


def memory() -> str:
    """Return the machine's memory and what of it is free."""
    file = Path("/proc/meminfo")
    said = dict(line.split(":") for line in file.read_text().splitlines()) if file.exists() else {}
    sizes = [int(said[name].split()[0]) / 2**20 for name in ("MemTotal", "MemAvailable") if name in said]
    return f"{sizes[0]:.1f} GiB, {sizes[1]:.1f} available" if len(sizes) > 1 else "unknown"


def torch_says() -> dict[str, str]:
    """Return which kernels PyTorch takes, and its threads."""
    import torch

    return {
        "torch's kernels": torch.backends.cpu.get_cpu_capability(),
        "torch's threads": f"{torch.get_num_threads()}",
        "CUDA": f"{torch.version.cuda or 'none'}, {torch.cuda.device_count()} devices",
    }


def main() -> None:
    """Print all facts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    facts = {
        "system": platform.platform(),
        "processor": processor(),
        "cores": f"{cores}{load}",
        "memory": memory(),
        "Python": f"{platform.python_version()} ({platform.python_compiler()})",
        "locale": f"{locale.setlocale(locale.LC_ALL, '') or 'C'}, {time.tzname[0]}",
        **torch_says(),
        "set": ", ".join(f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ) or "nothing",
    }
    for name in LIBRARIES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "missing"
    for name, value in facts.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
