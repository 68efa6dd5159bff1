"""openfer: open, reproducible facial expression recognition."""

import os
from typing import TYPE_CHECKING, Any

from openfer.version import __version__ as __version__

if TYPE_CHECKING:
    from openfer.inference.predictor import load

__all__ = ["load"]

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own pools keep what is free, and read this once


def __getattr__(name: str) -> Any:
    """Import ``load`` when it is asked for, so that `import openfer` stays light."""
    if name == "load":
        from openfer.inference.predictor import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
