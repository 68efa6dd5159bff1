"""Training on two devices of a CPU ends as training on one, also where a process dies."""

import logging
import signal

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from drive import drive
from small_method import EPOCHS, STEPS, DiesOnTheSecond, interrupt, painted_store, train
from tests.prepared import prepared

from openfer.errors import DataError, ParameterError, TrainingError
from openfer.io.face_store import FaceStore
from openfer.methods.contract import AllSamples
from openfer.training import launch
from openfer.training.sampling import Sampler
from openfer.training.synchronised_norm import synchronised_norm

ON_TWO = {"devices": 2}
EVERY_STEP = {"checkpoint_minutes": 0}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


@pytest.fixture(scope="module")
def on_one(store, tmp_path_factory):
    return train(store, tmp_path_factory.mktemp("one"))


@pytest.fixture(autouse=True)
def _prepared(monkeypatch):
    """Start processes with the libraries loaded; those of the program that is killed start as openfer's do."""
    monkeypatch.setattr(launch, "_PROCESSES", prepared())


class Reports:
    """A tracker that keeps what it is told."""

    def __init__(self):
        self.epochs = []

    def epoch(self, label, stage, epoch, values):
        self.epochs.append((label, stage, epoch, values))


def assert_same_result(one, other):
    for selection, state in one.states.items():
        found = other.states[selection].tensors
        assert found.keys() == state.tensors.keys()
        for name, value in state.tensors.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_two_devices_give_the_weights_curves_and_log_lines_of_one(tmp_path, store, on_one, caplog):
    reports = Reports()
    with caplog.at_level(logging.INFO, logger="openfer"):
        on_two = train(store, tmp_path, tracker=reports, **ON_TWO)
    assert_same_result(on_one, on_two)
    assert {state.facts["devices"] for state in on_two.states.values()} == {2}
    assert (
        [line for line in caplog.messages if "trains on" in line]
        == [line for line in caplog.messages if "small trains on 2 x " in line]
        != []
    )
    assert [epoch[:3] for epoch in reports.epochs] == [("small", "only", number) for number in range(1, EPOCHS + 1)]

    timed = ["seconds", "images_per_second", "gpu_joules", "cpu_joules"]
    one, two = (fitted.history[~fitted.history["name"].isin(timed)] for fitted in (on_one, on_two))
    assert one.drop(columns="value").equals(two.drop(columns="value"))
    np.testing.assert_allclose(one["value"], two["value"], rtol=1e-4, atol=1e-5)


def test_a_process_that_is_killed_ends_the_run_in_words_and_one_device_ends_it_as_if_nothing_had_been(
    tmp_path, store, on_one
):
    torch.manual_seed(0)
    with pytest.raises(TrainingError, match=r"process 2 of the 2 that train small was ended by SIGKILL.*run the same"):
        train(store, tmp_path, DiesOnTheSecond(after=STEPS + 1), **ON_TWO, **EVERY_STEP)
    assert_same_result(on_one, train(store, tmp_path))


def test_a_run_that_one_device_began_resumes_on_two(tmp_path, store, on_one, caplog):
    interrupt(tmp_path, store, STEPS + 2, **EVERY_STEP)
    with caplog.at_level(logging.WARNING, logger="openfer"):
        assert_same_result(on_one, train(store, tmp_path, **ON_TWO))
    assert any("was begun with 1 x " in line and "resumes with 2 x " in line for line in caplog.messages)


def test_an_image_that_only_the_second_process_reads_fails_in_the_same_words(tmp_path):
    (shard,) = painted_store(tmp_path / "store").folder.glob("faces-*.arrow")
    content = bytearray(shard.read_bytes())
    starts = [place for place in range(len(content)) if content.startswith(b"\x89PNG\r\n\x1a\n", place)]
    last_of_first_batch = Sampler(AllSamples(), np.arange(17) % 3, 3, "only", 7).order(0)[6]
    start = starts[last_of_first_batch]
    content[start : start + 8] = bytes(8)
    shard.write_bytes(content)
    damaged, words = FaceStore(tmp_path / "store"), []
    for devices in (1, 2):
        with pytest.raises(DataError) as caught:
            train(damaged, tmp_path / f"on {devices}", devices=devices)
        words.append(str(caught.value))
    assert f"sample{last_of_first_batch:03d}" in words[0]
    assert words[1] == words[0]


@pytest.mark.slow
def test_processes_die_with_a_killed_command_and_its_run_resumes(tmp_path, store, on_one):
    killed = drive(store, tmp_path, ON_TWO, "reported", 1)  # ends when none of its processes lives
    assert killed.code == -signal.SIGKILL
    assert (tmp_path / "resume.safetensors").exists()
    assert_same_result(on_one, train(store, tmp_path))


def test_more_devices_than_samples_in_a_batch_are_refused(tmp_path, store):
    with pytest.raises(ParameterError, match=r"stage only has batches of 7 samples.*8 devices.*to 7 at most"):
        train(store, tmp_path, devices=8)


def test_networks_are_not_compiled_for_several_devices(tmp_path, store):
    with pytest.raises(ParameterError, match=r"compile is true and training\.devices is 2.*set compile to auto"):
        train(store, tmp_path, devices=2, compile=True)


@pytest.fixture
def alone_in_a_group(tmp_path):
    dist.init_process_group("gloo", init_method=(tmp_path / "store").as_uri(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6, 5)], ids=["features", "maps"])
@pytest.mark.parametrize("affine", [True, False])
def test_the_statistics_and_gradients_of_a_group_of_one_are_those_of_torch(alone_in_a_group, shape, affine):
    torch.manual_seed(0)
    values, answer = torch.randn(shape, dtype=torch.float64) + 3, torch.randn(shape, dtype=torch.float64)
    found = []
    for normalise in (
        lambda x, w, b, mean, var: synchronised_norm(x, w, b, mean, var, 0.2, 1e-5, len(x)),
        lambda x, w, b, mean, var: F.batch_norm(x, mean, var, w, b, True, 0.2, 1e-5),
    ):
        x = values.clone().requires_grad_()
        w, b = (torch.full((3,), v, dtype=torch.float64, requires_grad=True) if affine else None for v in (2.0, -1.0))
        mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
        out = normalise(x, w, b, mean, var)
        (out * answer).sum().backward()
        found.append([out.detach(), mean, var, x.grad, *([w.grad, b.grad] if affine else [])])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_half_precision_is_normalised_as_torch_does(alone_in_a_group):
    torch.manual_seed(0)
    values = (torch.randn(4, 3, 6, 5) + 3).bfloat16()
    found = []
    for normalise in (
        lambda x, w, b: synchronised_norm(x, w, b, None, None, 0.1, 1e-5, len(x)),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True, 0.1, 1e-5),
    ):
        x = values.clone().requires_grad_()
        w, b = (torch.full((3,), value, requires_grad=True) for value in (2.0, -1.0))
        out = normalise(x, w, b)
        out.square().sum().backward()
        assert (out.dtype, x.grad.dtype, w.grad.dtype) == (torch.bfloat16, torch.bfloat16, torch.float32)
        found.append([out.detach(), x.grad, w.grad, b.grad])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-2, atol=2e-2)
