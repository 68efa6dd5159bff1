"""Where and in which arithmetic a method runs: ``auto`` resolved to a plan."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from openfer.errors import ParameterError
from openfer.methods.contract import Method
from openfer.training.config import TrainingConfig

_STEPS_TO_EARN_COMPILATION = 20_000
"""Compiling takes one to a few minutes and saves some milliseconds of a step: shorter runs lose."""

_GPU_CHECK_EVERY = 25
"""Reading a loss makes the host wait for the GPU; once in this many steps costs nothing measurable."""

_MAX_WORKERS = 8

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Plan:
    """The decisions for one run.

    Attributes:
        device: where networks and batches live.
        dtype: of the autocast region; float32 switches autocast off.
        channels_last: whether images and weights are in channels-last layout.
        compile: whether networks are compiled for training steps.
        workers: processes that decode images, for each device.
        devices: how many there are; each is trained on by a process of its own.
    """

    device: torch.device
    dtype: torch.dtype
    channels_last: bool
    compile: bool
    workers: int
    devices: int = 1

    @property
    def check_every(self) -> int:
        """Steps between two looks at whether the losses are finite.

        A GPU run with float16 looks at every step, as its gradient scalers own the switch by which
        the other precisions hold back the steps in between (see :class:`Optimisers`).
        """
        return _GPU_CHECK_EVERY if self.device.type == "cuda" and self.dtype != torch.float16 else 1

    @property
    def memory_format(self) -> torch.memory_format:
        """Layout of images and weights."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which networks compute."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype if enabled else None, enabled=enabled)

    def describe(self) -> str:
        """Return the decisions in words."""
        on_gpu = self.device.type == "cuda"
        device = torch.cuda.get_device_name() if on_gpu else f"{torch.get_num_threads()} CPU threads"
        layout = "channels_last" if self.channels_last else "channels_first"
        compiled = "compiled" if self.compile else "not compiled"
        if self.devices > 1:
            device = f"{self.devices} x {device}"
        return f"{device}, {self.facts()['precision']}, {layout}, {compiled}, {self.workers} workers"

    def facts(self) -> dict[str, Any]:
        """Return what of the plan changes the numbers that come out, JSON-serialisable."""
        return {
            "device": self.device.type,
            "precision": str(self.dtype).removeprefix("torch."),
            "channels_last": self.channels_last,
            "compile": self.compile,
        }


def resolve(config: TrainingConfig, steps: int = 0) -> Plan:
    """Turn every ``auto`` into what is fastest here.

    Args:
        config: the user's wishes; anything but ``auto`` is obeyed.
        steps: training steps ahead, 0 for prediction.

    Raises:
        ParameterError: if CUDA is asked for and there is none, if there are fewer GPUs than devices asked for, or if
            networks are to be compiled for several devices.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ParameterError(
            "training.device is cuda, but torch finds no CUDA device; set device: auto, or install a torch built "
            f"for this GPU's driver (torch here is {torch.__version__})"
        )
    use_gpu = config.device == "cuda" or (config.device == "auto" and torch.cuda.is_available())
    devices = _devices(config, use_gpu) if steps else 1
    long_enough = devices == 1 and use_gpu and steps >= _STEPS_TO_EARN_COMPILATION
    return Plan(
        device=torch.device("cuda" if use_gpu else "cpu"),
        dtype=_fastest_dtype(use_gpu) if config.precision == "auto" else _DTYPES[config.precision],
        channels_last=True if config.channels_last == "auto" else config.channels_last,
        compile=long_enough if config.compile == "auto" else config.compile,
        workers=_fitting_workers(use_gpu, devices) if config.workers == "auto" else config.workers,
        devices=devices,
    )


def compile_networks(module: nn.Module) -> None:
    """Compile every sub-network of ``module`` in place; names and state stay as they are.

    Sub-networks and not the step as one: the players' backward passes stay apart, and each computes
    no more than its own player's gradients. Shapes are static: only full training batches meet
    compiled code, all else runs under :func:`eager`.
    """
    # The players' graphs may share nodes, so that a backward pass must leave them usable.
    torch._functorch.config.donated_buffer = False
    for child in module.children():
        # Neither a container nor a prerequisite, of which only parts are used, is ever called itself.
        if type(child).forward is nn.Module.forward or isinstance(child, Method):
            compile_networks(child)
        elif any(child.children()):  # a single layer has nothing to fuse
            child.compile(dynamic=False)


def forget_compiled() -> None:
    """Drop compiled code, so that the next stage compiles its own.

    A network that runs in another way in every stage, as ESR with one more branch, would else reach the number of
    variants that torch keeps of one network (eight), and train its last stages uncompiled.
    """
    torch.compiler.reset()


def place(method: Method, plan: Plan) -> None:
    """Move a method's weights to the plan's device and layout, in place."""
    method.to(plan.device)
    method.to(memory_format=plan.memory_format)


def eager() -> AbstractContextManager[Any]:
    """Return a context in which compiled networks run as if they were not."""
    context: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return context


def _fastest_dtype(use_gpu: bool) -> torch.dtype:
    if use_gpu:
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if _cpu_computes_bfloat16() else torch.float32


def _cpu_computes_bfloat16() -> bool:
    # Elsewhere oneDNN emulates bfloat16, several times slower than float32.
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def _devices(config: TrainingConfig, use_gpu: bool) -> int:
    there = torch.cuda.device_count() if use_gpu else 1
    devices = there if config.devices == "auto" else config.devices
    if use_gpu and devices > there:
        raise ParameterError(
            f"training.devices is {devices}, but torch finds {there} CUDA devices here; lower training.devices, or set "
            "it to auto"
        )
    if devices > 1 and config.compile is True:
        raise ParameterError(
            f"training.compile is true and training.devices is {devices}, but networks that are divided among devices "
            "are not compiled; set compile to auto, or devices to 1"
        )
    return devices


def _fitting_workers(use_gpu: bool, devices: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MAX_WORKERS, max(1, cores // devices)) if use_gpu else 0
