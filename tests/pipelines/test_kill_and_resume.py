"""kill -9 in the middle of `kedro run`, then the same command again."""

import os
import shutil

import pytest

from openfer.io.atomic import sha256_of
from tests.pipelines.conftest import FIRST_CHECKPOINT, Project


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="ends process groups")
def test_a_killed_addl_run_ends_with_the_weights_of_an_uninterrupted_one(copy_of_finished: Project) -> None:
    data = copy_of_finished.path / "data"
    addl, dfem = (f"{name}.{copy_of_finished.slug(name)}" for name in ("addl", "dfem"))
    models = copy_of_finished.run_folder("06_models", "addl")
    uninterrupted = sha256_of(models / "selected")
    shutil.rmtree(models)

    until_trained = ("--pipelines", "addl", "--to-nodes", f"{addl}.train")
    copy_of_finished.killed_at(FIRST_CHECKPOINT, *until_trained)
    assert not (models / "selected").exists()

    said = copy_of_finished.run(*until_trained)
    assert "addl continues at stage joint, epoch 2 of 2" in said
    assert f"running     {dfem}.train" not in said
    assert sha256_of(models / "selected") == uninterrupted
    assert not (data / f"02_intermediate/.work/{addl}").exists()
