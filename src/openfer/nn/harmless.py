"""Python objects that lie beside tensors in weights files and run no code when they are read."""

import argparse
import collections
import datetime
import pathlib
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_KINDS = sorted({type(np.dtype(kind)).__name__ for kind in np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?"})
_PATHLIB = ("pathlib", "pathlib._local")  # the second is what Python 3.13 writes
_POSIX, _WINDOWS = ("Path", "PosixPath", "PurePosixPath"), ("WindowsPath", "PureWindowsPath")

HARMLESS: Mapping[str, Callable[..., Any] | type] = {
    **{f"{module}.scalar": np._core.multiarray.scalar for module in _NUMPY},  # type: ignore[attr-defined]
    **{f"{module}._reconstruct": np._core.multiarray._reconstruct for module in _NUMPY},  # type: ignore[attr-defined]
    "numpy.dtype": np.dtype,
    "numpy.ndarray": np.ndarray,
    **{f"numpy.dtypes.{name}": getattr(np.dtypes, name) for name in _KINDS},
    "argparse.Namespace": argparse.Namespace,
    "types.SimpleNamespace": types.SimpleNamespace,
    "collections.defaultdict": collections.defaultdict,
    "datetime.datetime": datetime.datetime,
    **{f"{module}.{name}": pathlib.PurePosixPath for module in _PATHLIB for name in _POSIX},
    **{f"{module}.{name}": pathlib.PureWindowsPath for module in _PATHLIB for name in _WINDOWS},
}
"""Name in a pickle -> what is made of it."""
