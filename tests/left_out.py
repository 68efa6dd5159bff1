"""What training and writing do for people alone, and what tests leave out because it takes longer than the rest."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import _pytest.tmpdir
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
    connect = sqlite3.connect

    def connect_without_flushes(*args: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*args, **options)
        with suppress(sqlite3.DatabaseError):  # a damaged or locked file is for whoever reads it
            database.execute("PRAGMA synchronous = OFF")
        return database

    sqlite3.connect = sqlite3.dbapi2.connect = connect_without_flushes


def without_waiting_for_removals() -> None:
    """Let another process remove what passed tests wrote; some file systems take 4 ms a file or folder."""
    words = ["sh", "-c", 'while IFS= read -r folder; do rm -rf -- "$folder"; done']
    remover = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def remove(folder: Path, ignore_errors: bool) -> None:
        """Take the place of ``shutil.rmtree`` in pytest: the folder's name is free at once."""
        with suppress(FileNotFoundError):  # the test has removed it
            print(folder.rename(folder.with_name(f"removed-{folder.name}")), file=remover.stdin, flush=True)

    _pytest.tmpdir.rmtree = remove


def without_serving() -> None:
    """Let MLflow keep a model without loading it once more; it says in the log alone if that fails."""
    import mlflow.models.utils

    mlflow.models.utils._validate_serving_input = lambda **_: None
