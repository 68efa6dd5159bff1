"""What is said of the checkout that made a result."""

import subprocess
from pathlib import Path

from openfer.io.git import NOT_A_CHECKOUT, revision


def git(folder: Path, *command: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", str(folder), *who, *command], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_checkout_has_a_commit_and_is_changed_when_a_tracked_file_is(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "--quiet", "--message", "a")
    (tmp_path / "untracked.txt").write_text("no part of it")
    assert revision(tmp_path) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "state": "clean"}
    (tmp_path / "a.txt").write_text("two")
    assert revision(tmp_path)["state"] == "changed"


def test_a_folder_outside_any_checkout_is_said_to_be(tmp_path):
    assert revision(tmp_path) == {"commit": NOT_A_CHECKOUT, "state": "clean"}
