"""openfer: open, reproducible facial expression recognition."""

import os
from typing import TYPE_CHECKING, Any

from openfer.version import __version__ as __version__

if TYPE_CHECKING:
    from openfer.inference.predictor import load

__all__ = ["load"]

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own pools keep what is free, and read this once

# Threads of a training step check this many times for work before they sleep. GNU's OpenMP, which comes with torch,
# reads the number when torch is loaded. Every program that uses openfer runs this line before it imports torch, and
# its processes inherit the value. OpenMP's own 300,000 checks keep a core busy that another program needs.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "5000"


def __getattr__(name: str) -> Any:
    """Import ``load`` when it is asked for, so that `import openfer` stays light."""
    if name == "load":
        from openfer.inference.predictor import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
