"""The memory of a training step that is counted without a GPU."""

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from openfer.methods.contract import Schedule
from openfer.methods.untrained import noise_batch, untrained
from openfer.training.memory import _state_copies, step_memory, without_numbers

SIDE = 64


def counted(name, batch, dtype=torch.float32):
    with without_numbers():
        method = untrained(name)
        return step_memory(method, method.stages()[-1], noise_batch(method, batch, SIDE, "cuda"), dtype)


def test_activations_are_what_a_real_forward_pass_saves():
    """What differs is some kB: losses, and what a CPU's kernels save beside the maps."""
    method = untrained("baseline")
    batch = noise_batch(method, 2, SIDE)
    given = {tensor.untyped_storage().data_ptr() for tensor in (*method.parameters(), *method.buffers(), batch.images)}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in given:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        losses = method.step(batch, method.stages()[0])
    assert losses["main"]["total"].requires_grad
    assert counted("baseline", 2).activations == pytest.approx(sum(kept.values()), rel=0.01)


def test_each_further_sample_costs_the_same():
    two, three, four = (counted("baseline", batch) for batch in (2, 3, 4))
    assert two.activations < three.activations < four.activations
    assert four.activations - three.activations == pytest.approx(three.activations - two.activations, rel=0.01)
    assert (two.weights, two.gradients, two.optimiser) == (four.weights, four.gradients, four.optimiser)


def test_a_half_precision_keeps_less_although_it_copies_the_weights():
    full, half = (counted("addl", 64, dtype) for dtype in (torch.float32, torch.bfloat16))
    assert 0.4 < half.activations / full.activations < 0.8
    assert half.weights == full.weights


def test_weights_gradients_and_state_of_baseline_follow_from_its_parameters():
    method = untrained("baseline")
    found, parameters = counted("baseline", 2), 4 * sum(p.numel() for p in method.parameters())
    assert found.gradients == parameters
    assert found.optimiser == 2 * parameters  # Adam
    assert found.weights == parameters + sum(b.numel() * b.element_size() for b in method.buffers())
    assert found.inputs == 2 * 3 * SIDE**2 * 4 + 2 * 8
    assert found.total == sum((found.weights, found.gradients, found.optimiser, found.inputs, found.activations))


@pytest.mark.parametrize(
    ("settings", "copies"),
    [
        ({"optimiser": "adam"}, 2),
        ({"optimiser": "adamw"}, 2),
        ({"optimiser": "sgd", "momentum": 0.9}, 1),
        ({"optimiser": "sgd", "momentum": 0.0}, 0),
        ({"optimiser": "rmsprop"}, 1),
    ],
)
def test_an_optimiser_is_asked_what_it_remembers(settings, copies):
    with without_numbers():
        assert (
            _state_copies(Schedule.model_validate({"epochs": 1, "batch_size": 2, "learning_rate": 0.1} | settings))
            == copies
        )


def test_a_step_that_reads_a_number_is_refused():
    with without_numbers():
        method = untrained("baseline")
        step = method.step
        method.step = lambda batch, stage: {"main": {"total": torch.tensor(step(batch, stage)["main"]["total"].item())}}
        with pytest.raises(RuntimeError, match="_local_scalar_dense"):
            step_memory(method, method.stages()[0], noise_batch(method, 2, SIDE, "cuda"), torch.float32)
    assert isinstance(nn.Linear(2, 2).weight.sum().item(), float)  # outside of it tensors have numbers again
