"""openfer: open, reproducible facial expression recognition."""

import os

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own pools keep what is free, and read this once

__version__ = "0.1.0"
