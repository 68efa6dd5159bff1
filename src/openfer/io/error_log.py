"""Tracebacks go to a file, so that the terminal holds the words that a person can act on."""

import os
import time
import traceback
from pathlib import Path

_FOLDER = Path("logs")


def keep_traceback(error: BaseException) -> str:
    """Write an error's traceback to a separate file in the folder ``logs``.

    Returns:
        A line that says where the file is, or why there is none.
    """
    path = _FOLDER / f"error_{time.strftime('%Y-%m-%d_%H%M%S')}_{os.getpid()}.log"
    text = "".join(traceback.format_exception(error))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{text}\n")
    except OSError as refused:
        return f"The traceback could not be written to {path.absolute()}: {refused.strerror}"
    return f"The traceback is in {path.absolute()}"
