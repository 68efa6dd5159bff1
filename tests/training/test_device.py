"""``auto`` becomes what the device is good at; anything else is obeyed."""

import pytest
import torch
from small_method import EPOCHS, STEPS, fresh, interrupt, painted_store, train
from tests.methods.networks import build_addl

from openfer.errors import ParameterError
from openfer.training.config import TrainingConfig
from openfer.training.device import compile_networks, eager, resolve

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CPU = {"device": "cpu"}


@pytest.mark.parametrize(
    ("found", "dtype"),
    [({"avx512_bf16": True}, torch.bfloat16), ({"amx_bf16": True}, torch.bfloat16), ({"avx2": True}, torch.float32)],
)
def test_a_cpu_takes_bfloat16_only_where_it_computes_with_it(monkeypatch, found, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    plan = resolve(TrainingConfig(**CPU), steps=10**9)
    assert (plan.dtype, plan.channels_last, plan.compile, plan.workers) == (dtype, True, False, 0)


def test_wishes_are_obeyed():
    wishes = TrainingConfig(device="cpu", precision="float16", channels_last=False, compile=True, workers=3)
    plan = resolve(wishes)
    assert (plan.dtype, plan.channels_last, plan.compile, plan.workers) == (torch.float16, False, True, 3)


def test_the_plan_is_described_in_one_line():
    plan = resolve(TrainingConfig(device="cpu", precision="float32"))
    assert plan.describe().endswith(" CPU threads, float32, channels_last, not compiled, 0 workers")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_one_clear_error():
    with pytest.raises(ParameterError, match="finds no CUDA device; set device: auto"):
        resolve(TrainingConfig(device="cuda"))


def test_compiling_marks_the_sub_networks_and_keeps_the_names():
    method = fresh()
    names = list(method.state_dict())
    compile_networks(method)
    assert method.trunk._compiled_call_impl is not None
    assert method._compiled_call_impl is None
    assert list(method.state_dict()) == names
    with eager():
        assert method(torch.randn(2, 3, 20, 20)).features.shape == (2, 8)


def test_compiling_reaches_every_network_of_addl_and_those_of_its_dfem():
    method = build_addl()
    compile_networks(method)
    compiled = {name for name, module in method.named_modules() if module._compiled_call_impl is not None}
    assert compiled == {"shared", "expression", "disturbance", "discriminator", "mine", "dfem.trunk"}


@needs_cuda
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16", "float32"])
def test_a_gpu_trains_compiled_and_takes_the_steps_that_an_interruption_left(tmp_path, precision, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    store = painted_store(tmp_path / "store")
    settings = {"device": "cuda", "precision": precision, "compile": True, "checkpoint_minutes": 0, "workers": 2}
    taken, done = 0, STEPS + 1
    interrupt(tmp_path / "work", store, done, **settings)

    method = fresh()
    step = method.step

    def counted(batch, stage):
        nonlocal taken
        taken += 1
        return step(batch, stage)

    method.step = counted
    resumed = train(store, tmp_path / "work", method, **settings).states["last"].tensors
    whole = train(store, tmp_path / "whole", **settings).states["last"].tensors
    assert taken == EPOCHS * STEPS - done
    for name, value in whole.items():
        # a step that is lost or taken twice moves a weight by about the learning rate, ten times as much
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=1e-3, msg=name)


@needs_cuda
def test_a_gpu_takes_a_half_precision_by_itself():
    plan = resolve(TrainingConfig(device="auto"))
    assert plan.device.type == "cuda"
    assert plan.dtype in {torch.bfloat16, torch.float16}
    assert plan.workers > 0
