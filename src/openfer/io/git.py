"""Which state of a checkout made a result."""

import subprocess
from pathlib import Path

NOT_A_CHECKOUT = "not a git checkout"


def revision(folder: Path) -> dict[str, str]:
    """Return the commit of the checkout that a folder lies in, and whether its tracked files differ from it.

    Returns:
        ``commit`` (:data:`NOT_A_CHECKOUT` where there is none) and ``state``: ``clean`` or ``changed``.
    """
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git(folder, "rev-parse", "HEAD") or NOT_A_CHECKOUT,
        "state": "changed" if changed else "clean",
    }


def _git(folder: Path, *command: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *command], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
