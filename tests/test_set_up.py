"""What the Makefile sets up, and what it says where that cannot be."""

import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
SET_UP = SimpleNamespace(**runpy.run_path(str(ROOT / "tools/set_up.py"), run_name="set_up"))
TRIED = ["3.11", "3.12", "3.13"]
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A finished environment, as far as the set-up looks at it."""
    venv = tmp_path / "with blank and ümlaut" / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(sys.executable)
    (venv / ".installed").write_text(f"{venv}\n")
    return venv


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_place_names_the_same_versions_of_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert [name.rpartition(" ")[2] for name in project["classifiers"] if ":: Python ::" in name] == TRIED
    makefile = (ROOT / "Makefile").read_text()
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in makefile
    assert all(f"command -v python{version} " in makefile for version in TRIED)
    words = f"{', '.join(TRIED[:-1])} or {TRIED[-1]}"
    assert all(f"Python {words}" in text for text in (makefile, (ROOT / "README.md").read_text()))


@needs_make
@pytest.mark.parametrize("version", ["3.10.4", "3.14.0", "2.7.18"])
def test_a_python_that_was_not_tried_is_refused_in_one_sentence_before_anything_is_made(
    version: str, tmp_path: Path
) -> None:
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\n[ "$1" = -V ] && echo Python {version}\nexit 1\n')
    other.chmod(0o755)
    made = make(f"PYTHON={other}", f"VENV={tmp_path}/venv", "run")
    assert made.returncode
    assert f"openfer needs Python 3.11, 3.12 or 3.13, and {other} is Python {version}; install one" in made.stderr
    assert not (tmp_path / "venv").exists()


def test_a_finished_environment_is_in_order(environment: Path) -> None:
    SET_UP.check(environment)


def test_a_moved_environment_is_said(environment: Path) -> None:
    moved = environment.rename(environment.with_name("moved"))
    with pytest.raises(SET_UP.SetUpError, match=r"broken: it was made as .*ümlaut/\.venv, .* 'make clean'"):
        SET_UP.check(moved)


def test_an_environment_without_its_python_is_said(environment: Path) -> None:
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to(environment / "deleted")
    with pytest.raises(SET_UP.SetUpError, match=r"broken: its Python is gone or does not start; .*'make clean'"):
        SET_UP.check(environment)


def test_another_version_of_python_does_not_finish_an_environment(environment: Path) -> None:
    (environment / "pyvenv.cfg").write_text("home = /somewhere\nversion = 3.1.4\n")
    with pytest.raises(SET_UP.SetUpError, match=rf"of Python 3\.1, asked for is 3\.{sys.version_info[1]}; .*clean"):
        SET_UP.set_up(environment, "")
    assert (environment / ".installed").exists()


def test_progress_is_one_line_of_pips_many(capsys: pytest.CaptureFixture[str]) -> None:
    progress = SET_UP.Progress(terminal=False)
    progress.read(
        [
            "Obtaining file:///openfer\n",
            "Collecting torch>=2.13 (from openfer)\n",
            "  Downloading torch-2.14.1-cp311-cp311-linux_x86_64.whl (500.0 MB)\n",
            "Progress 100000000 of 500000000\n",
            "Progress 500000000 of 500000000\n",
            "Collecting numpy\n",
            "  Using cached numpy-2.4.6-cp311-cp311-linux_x86_64.whl (16.0 MB)\n",
            "Installing collected packages: numpy, torch, openfer\n",
            "Successfully installed numpy-2.4.6 openfer-0.1.0 torch-2.14.1\n",
        ]
    )
    assert progress.megabytes == 500
    assert capsys.readouterr().out.splitlines() == [
        "1 packages found, 0 MB downloaded: torch>=2.13",
        "installing 3 packages, which takes a minute or more",
    ]


def test_progress_of_a_terminal_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    SET_UP.Progress(terminal=True).read(["Collecting numpy\n", "Progress 1000000 of 16000000\n"])
    said = capsys.readouterr().out
    assert said.count("\r") == 2
    assert said.count("\n") == 1
    assert said.endswith("1 packages found, 0 MB downloaded: numpy, 1 of 16 MB\n")


def test_constraints_pin_what_the_set_up_installs_by_name() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(SET_UP._pin(name) in lines for name in ("pip", *SET_UP.TORCH))


def test_the_machine_is_described_by_what_results_depend_on() -> None:
    words = [sys.executable, str(ROOT / "tools/machine.py")]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    facts = dict(line.split(None, 1) for line in said.splitlines() if not line.startswith("torch's"))
    assert {"system", "processor", "cores", "memory", "Python", "set", "torch", "numpy", "pytest"} <= set(facts)
    assert "torch's kernels" in said
    assert "missing" not in facts["torch"]
