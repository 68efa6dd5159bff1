"""The one family of errors: every message says what, where, the value found and what to do."""

import difflib
from collections.abc import Iterable


class OpenferError(Exception):
    """Base of all errors that openfer raises on purpose; shown in one line without a traceback.

    What cannot be printed, such as a line break in the name of a file, is shown as an escape.
    """

    def __str__(self) -> str:
        words = super().__str__()
        if words.isprintable():
            return words
        return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in words)


class ParameterError(OpenferError):
    """A parameter is unknown, of the wrong type, or contradicts another one."""


class DataError(OpenferError):
    """A dataset, table or image is missing, damaged or cannot serve the purpose asked for."""


class AssetError(OpenferError):
    """A 3D asset of the embedded faces is missing or damaged."""


class CheckpointError(OpenferError):
    """A weights file is truncated, altered, or does not fit the network it is loaded into."""


class ExportError(OpenferError):
    """A model cannot be exported, or the exported file answers otherwise than the model."""


class StorageError(OpenferError):
    """The disk refused a write; what was there before is intact."""


class TrainingError(OpenferError):
    """Training cannot go on, such as a loss that is not finite."""


class TrackingError(OpenferError):
    """MLflow cannot be used when a command begins."""


class RunError(OpenferError):
    """Several runs of a command failed; all that does not need them is done."""


def did_you_mean(name: str, known: Iterable[str], then: str) -> str:
    """Return the remedy for a name that does not exist: the nearest one as a question, then all of them.

    Args:
        name: that was given.
        known: names that exist.
        then: what follows, such as ``the names are``; it begins a sentence if there is a question before it.
    """
    written = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), list(written), n=1)
    return f"did you mean {written[near[0]]!r}? {then[0].upper()}{then[1:]}" if near else then
