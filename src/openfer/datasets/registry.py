"""Readers by name: a module in this folder named like the reader, with its class as ``READER``."""

import importlib

from openfer import datasets
from openfer.datasets.contract import Reader
from openfer.datasets.names import reader_names
from openfer.errors import ParameterError


def reader_class(name: str) -> type[Reader]:
    """Return the class of a registered reader.

    Raises:
        ParameterError: if no reader has this name; the message lists those that exist.
    """
    if name not in reader_names():
        raise ParameterError(f"reader {name!r} does not exist; the readers are {', '.join(reader_names())}")
    found: type[Reader] = importlib.import_module(f"{datasets.__name__}.{name}").READER
    return found
