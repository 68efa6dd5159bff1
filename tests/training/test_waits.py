"""No training step makes a GPU wait for the host.

Two looks: without a GPU at tensors that claim to lie on one, which have no numbers to be read; with one by PyTorch's
own check. The first sees what a method does in its step, the second also the backward pass and the optimisers.
"""

import warnings

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from openfer.losses.diversity import similarity_by_sample
from openfer.methods.declaration import METHODS
from openfer.methods.untrained import noise_batch, untrained
from openfer.nn.interest_points import interest_points
from openfer.training.batches import per_channel
from openfer.training.config import TrainingConfig
from openfer.training.device import place, resolve
from openfer.training.memory import without_numbers
from openfer.training.optimisers import Optimisers

SIDES = {name: 112 if "side" in METHODS[name].settings.model_fields else 64 for name in METHODS.names()}
"""Small images, but for networks that are built for one side."""


class Copies(TorchDispatchMode):
    """Notes operations that copy between the host and the GPU."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        devices = {t.device.type for t in tree_leaves((args, kwargs, result)) if isinstance(t, Tensor) and t.dim()}
        if len(devices) > 1:
            self.found.append(str(func))
        return result


def copies_of(function, *shape):
    with without_numbers():
        tensor = torch.zeros(*shape)
        with Copies() as copies:
            function(tensor)
    return copies.found


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[:, [0, 2]],
        lambda x: x + torch.eye(3, device="cpu").to(x),
        lambda x: x.cpu(),
        lambda x: x.to("cpu", torch.uint8),
    ],
)
def test_a_copy_is_found(function):
    assert copies_of(function, 3, 3)


@pytest.mark.parametrize("function", [lambda x: x.max().item(), lambda x: x[x > 0], lambda x: bool(x.any())])
def test_a_number_that_is_read_is_an_error(function):
    with pytest.raises(RuntimeError), without_numbers():
        function(torch.zeros(3, 3))


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: similarity_by_sample(x, 1.0), (3, 4, 5)),
        (lambda x: interest_points(x, 64), (2, 68, 3)),
        (lambda x: per_channel((0.1, 0.2, 0.3), x), (2, 3, 8, 8)),
    ],
)
def test_what_used_to_copy_does_no_longer(function, shape):
    assert copies_of(function, *shape) == []


@pytest.mark.parametrize("name", METHODS.names())
def test_a_step_neither_reads_a_number_nor_copies(name):
    with without_numbers():
        method = untrained(name)
        batch = noise_batch(method, 4, SIDES[name], "cuda")
        stage = method.stages()[-1]
        method.on_epoch_start(stage, stage.schedule.epochs - 1)
        with Copies() as copies:
            losses = method.step(batch, stage)
    assert copies.found == []
    assert all(terms["total"].device.type == "cuda" for terms in losses.values())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", METHODS.names())
def test_a_gpu_takes_a_whole_step_without_waiting(name):
    plan = resolve(TrainingConfig(device="cuda", precision="bfloat16"))
    method = untrained(name)
    place(method, plan)
    stage = method.stages()[-1]
    method.on_epoch_start(stage, stage.schedule.epochs - 1)
    optimisers = Optimisers(stage, plan)
    batch = noise_batch(method, 4, SIDES[name], plan.device)

    def step():
        with plan.autocast():
            losses = method.step(batch, stage)
        optimisers.step(losses)

    step()  # libraries wait when they are called for the first time
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as waits:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert [str(w.message) for w in waits if "synchronizing" in str(w.message)] == []
