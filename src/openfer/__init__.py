"""openfer: open, reproducible facial expression recognition."""

__version__ = "0.1.0"
