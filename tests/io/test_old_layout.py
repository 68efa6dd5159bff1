"""Results of an earlier openfer: one clear message, and nothing else."""

import logging
import shutil

import pytest

from openfer.io.old_layout import warn_of_old_results


@pytest.fixture
def root(tmp_path):
    for place in ("addl", "baseline", "studies/table_3/addl", "dfem/dfem-s0-f0-3fa92c"):
        (tmp_path / "06_models" / place / "selected").mkdir(parents=True)
    (tmp_path / "06_models/landmarks").mkdir()
    return tmp_path


def test_results_of_an_earlier_openfer_are_one_message_that_names_them_and_says_what_to_do(root, caplog):
    warn_of_old_results(root)
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    words = told.getMessage()
    old = [str(root / "06_models" / name) for name in ("addl", "baseline", "studies")]
    assert words.startswith("3 folders hold results of an earlier openfer")
    assert ", ".join(old) in words
    assert "They are not read: " in words
    assert "Delete them" in words
    assert "dfem" not in words
    assert (root / "06_models/addl/selected").is_dir()


def test_a_project_of_runs_with_names_hears_nothing(root, caplog):
    for name in ("addl", "baseline", "studies"):
        shutil.rmtree(root / "06_models" / name)
    warn_of_old_results(root)
    warn_of_old_results(root / "not_there")
    assert caplog.records == []
