"""Readers by name."""

from typing import TYPE_CHECKING

from openfer.registry import Registry

if TYPE_CHECKING:
    from openfer.datasets.contract import Reader

READERS: "Registry[type[Reader]]" = Registry("openfer.datasets.readers", "READER", "reader")
"""The registered readers: one file of ``datasets/readers`` each."""
