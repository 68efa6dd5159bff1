"""What training and writing do for people alone, and what tests leave out because it takes longer than the rest."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def without_resume_files() -> Iterator[None]:
    """Train without resume files; a large network's takes longer to write than its few steps."""
    from openfer.training.resume import ResumeFile

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResumeFile, "save", lambda self: None)
        yield


@contextmanager
def without_drawings() -> Iterator[None]:
    """Write matplotlib's figures as empty SVG; the words and tables around them stay."""
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda _, file, **options: file.write("<svg ></svg>"))
        yield


def without_flushes() -> None:
    """Let files reach the disk when the system likes; a flush guards against a power cut, which no test has."""
    os.fsync = lambda _: None


def without_serving() -> None:
    """Let MLflow keep a model without loading it once more; it says in the log alone if that fails."""
    import mlflow.models.utils

    mlflow.models.utils._validate_serving_input = lambda **_: None
