"""The version of openfer."""

__version__ = "0.1.0"
