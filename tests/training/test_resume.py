"""A run that was interrupted ends with the same bits as one that was not."""

import os
import signal

import pytest
import torch
from drive import drive
from small_method import EPOCHS, STEPS, fresh, interrupt, painted_store, same_tensors, train

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

EVERY_STEP = {"checkpoint_minutes": 0}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "step"),
    [
        ({}, STEPS + 1),
        ({"checkpoint_minutes": 0, "precision": "bfloat16", "channels_last": True, "workers": 1}, STEPS + 2),
    ],
    ids=["back to the epoch's start in float32", "inside an epoch in bfloat16 and channels_last"],
)
def test_a_run_killed_with_signal_9_ends_bit_identically(tmp_path, store, settings, step):
    killed = drive(store, tmp_path / "work", settings, "kill", step)
    assert killed.code == -signal.SIGKILL
    assert (tmp_path / "work" / "resume.safetensors").exists()

    resumed = train(store, tmp_path / "work", **settings).states["last"]
    whole = train(store, tmp_path / "whole", **settings).states["last"]
    assert same_tensors(resumed.tensors, whole.tensors)


@pytest.mark.parametrize("after", range(1, STEPS * EPOCHS))
def test_a_run_broken_off_before_any_step_ends_bit_identically(tmp_path, store, after):
    interrupt(tmp_path / "work", store, after, **EVERY_STEP)
    resumed = train(store, tmp_path / "work", **EVERY_STEP)
    whole = train(store, tmp_path / "whole")
    for selection in ("last", "best_val"):
        assert same_tensors(resumed.states[selection].tensors, whole.states[selection].tensors)
        assert resumed.states[selection].facts == whole.states[selection].facts
    timed = ["seconds", "images_per_second", "gpu_joules", "cpu_joules"]
    one, other = (fitted.history[~fitted.history["name"].isin(timed)] for fitted in (resumed, whole))
    assert one.equals(other)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_runs_resume_bit_identically(tmp_path, store, precision):
    settings = {"precision": precision, "channels_last": True} | EVERY_STEP
    interrupt(tmp_path / "work", store, STEPS + 2, **settings)
    resumed = train(store, tmp_path / "work", **settings)
    assert same_tensors(resumed.states["last"].tensors, train(store, tmp_path / "w", **settings).states["last"].tensors)


def test_gradient_scalers_survive_in_the_resume_file(tmp_path, store):
    interrupt(tmp_path, store, 2, precision="float16", **EVERY_STEP)
    scalers = load_checkpoint(tmp_path / "resume.safetensors").facts["state"]["optimisers"]
    assert scalers.keys() == {"main", "opponent"}
    assert all(scaler["scale"] > 0 and "_growth_tracker" in scaler for scaler in scalers.values())


def test_a_continued_run_says_where_it_continues(tmp_path, store, caplog):
    interrupt(tmp_path, store, STEPS + 2, **EVERY_STEP)
    with caplog.at_level("INFO"):
        train(store, tmp_path, label="fold 2")
    assert f"fold 2 continues at stage only, epoch 2 of {EPOCHS}, step 3 of {STEPS}" in caplog.text


def test_a_finished_run_trains_no_step_again(tmp_path, store):
    first = train(store, tmp_path)
    method = fresh()
    method.step = None
    again = train(store, tmp_path, method)
    assert same_tensors(first.states["best_val"].tensors, again.states["best_val"].tensors)
    assert first.history.equals(again.history)


def test_another_number_of_threads_is_told(tmp_path, store, caplog, monkeypatch):
    interrupt(tmp_path, store, 2, **EVERY_STEP)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    train(store, tmp_path)
    assert "resumes with 1 x 77 CPU threads" in caplog.text


@pytest.mark.parametrize("size", [0, 5, 200, 3000])
def test_a_truncated_resume_file_is_one_clear_error(tmp_path, store, size):
    interrupt(tmp_path, store, 2, **EVERY_STEP)
    file = tmp_path / "resume.safetensors"
    os.truncate(file, size)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors.*delete"):
        train(store, tmp_path)
    assert file.stat().st_size == size


def test_a_foreign_file_in_the_place_of_the_resume_file_is_refused(tmp_path, store):
    save_checkpoint(tmp_path / "resume.safetensors", Checkpoint({"weight": torch.zeros(2)}, {"method": "other"}))
    with pytest.raises(CheckpointError, match="not the state of a training run"):
        train(store, tmp_path)


def test_a_resume_file_of_another_recipe_is_refused_by_naming_what_differs(tmp_path, store):
    interrupt(tmp_path, store, 2, **EVERY_STEP)
    with pytest.raises(CheckpointError, match=r"plan\.precision was 'float32', is 'bfloat16'.*delete"):
        train(store, tmp_path, precision="bfloat16")


def test_a_full_disk_while_saving_leaves_a_run_that_can_go_on(tmp_path, store):
    refused = drive(store, tmp_path / "work", {}, "full", STEPS + 1)
    assert "StorageError" in refused.printed
    assert "no room left" in refused.printed
    resumed = train(store, tmp_path / "work")
    assert same_tensors(resumed.states["last"].tensors, train(store, tmp_path / "whole").states["last"].tensors)
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["resume.safetensors"]
