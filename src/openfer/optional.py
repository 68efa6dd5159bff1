"""Packages that `pip install openfer` leaves out: where one is missing, the error names the extra that brings it."""

from collections.abc import Iterator
from contextlib import contextmanager

from openfer.errors import ParameterError

_OWN = ("openfer", "openfer_faces")


@contextmanager
def optional(extra: str, user: str, instead: str = "") -> Iterator[None]:
    """Word the failure of the imports in a block.

    Args:
        extra: of openfer, which brings the packages.
        user: what needs them; the message begins with it.
        instead: another remedy, such as ``set faces.detector to mediapipe``.

    Raises:
        ParameterError: if a package of others is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in _OWN:
            raise
        remedy = f"run `pip install 'openfer[{extra}]'`{f', or {instead}' if instead else ''}"
        raise ParameterError(f"{user} needs the package {error.name}, which is not installed; {remedy}") from error
