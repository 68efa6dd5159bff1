"""The memory of a training step on a GPU, counted without one.

Networks and batches are tensors that claim to lie on a GPU and hold no numbers. A forward pass computes shapes alone,
in the arithmetic of the GPU, and all that it keeps for the backward pass is added up. Not counted are what PyTorch and
its libraries take for themselves, temporary tensors of single operations, and gaps between tensors.
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from openfer.methods.contract import Batch, Method, Schedule, Stage
from openfer.training.optimisers import OPTIMISERS

_TRIED = 1024
"""Numbers in the parameter by which an optimiser's state is measured; counters of steps are lost in the rounding."""


@dataclass(frozen=True)
class StepMemory:
    """Bytes of a training step by what they are for.

    Attributes:
        weights: parameters and buffers of all networks, prerequisites included.
        gradients: of the parameters that the stage's players train.
        optimiser: state of the players' optimisers, and the average of the weights where there is one.
        inputs: images, labels and extras of the batch.
        activations: what the forward pass keeps for the backward pass, and the losses.
    """

    weights: int
    gradients: int
    optimiser: int
    inputs: int
    activations: int

    @property
    def total(self) -> int:
        """Return all of them together: when the backward pass ends or, with little less, when it begins."""
        return self.weights + self.gradients + self.optimiser + self.inputs + self.activations


@contextmanager
def without_numbers() -> Iterator[None]:
    """Make all tensors of the block ones without numbers, which claim to lie on a GPU."""
    with FakeTensorMode(), torch.device("cuda"):
        yield


def step_memory(method: Method, stage: Stage, batch: Batch, dtype: torch.dtype) -> StepMemory:
    """Count the memory of a training step.

    Args:
        method: in training mode; it and the batch were made under :func:`without_numbers`, and so is this called.
        stage: which trains.
        batch: of any size.
        dtype: of the autocast region; float32 for none.

    Raises:
        RuntimeError: if the step needs to know a number, which makes a GPU wait for the host.
    """
    own = [*method.parameters(), *method.buffers()]
    given = [batch.images, *batch.labels.values(), *batch.extras.values(), *batch.targets.values()]
    trained = [parameter for player in stage.players for parameter in player.parameters]
    with _autocast(dtype), _LiveStorages([*own, *given]) as live:
        losses = method.step(batch, stage)
        activations = live.bytes
        del losses  # they held what was counted
    copies = _state_copies(stage.schedule)
    average = 0 if stage.schedule.average_decay is None else _bytes(method.own_state().values())
    return StepMemory(
        weights=_bytes(own),
        gradients=_bytes(trained),
        optimiser=copies * _bytes(trained) + average,
        inputs=_bytes(given),
        activations=activations,
    )


class _LiveStorages(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the memory that operations have made and that still lives.

    Args:
        known: tensors whose memory does not count.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {_storage(tensor)._cdata for tensor in known}
        self._sizes: dict[int, int] = {}

    @property
    def bytes(self) -> int:
        """Return the bytes that live now."""
        return sum(self._sizes.values())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._note(_storage(tensor))
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._known and key not in self._sizes:
            self._sizes[key] = storage.nbytes()
            weakref.finalize(storage, self._sizes.pop, key, None).atexit = False


@contextmanager
def _autocast(dtype: torch.dtype) -> Iterator[None]:
    """Switch on what ``torch.autocast("cuda")`` does, which refuses to where there is no GPU."""
    before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", dtype != torch.float32)
    torch.set_autocast_dtype("cuda", dtype if dtype != torch.float32 else before[1])
    try:
        yield
    finally:
        torch.clear_autocast_cache()
        torch.set_autocast_enabled("cuda", before[0])
        torch.set_autocast_dtype("cuda", before[1])


def _state_copies(schedule: Schedule) -> int:
    """Return how many numbers an optimiser remembers for each number of a parameter, by trying it."""
    with torch._subclasses.fake_tensor.unset_fake_temporarily(), torch.device("cpu"):
        parameter = nn.Parameter(torch.zeros(_TRIED))
        parameter.grad = torch.zeros(_TRIED)
        optimiser = OPTIMISERS[schedule.optimiser].build([{"params": [parameter]}], schedule)
        optimiser.step()
        state = optimiser.state[parameter].values()
        return sum(value.numel() for value in state if isinstance(value, Tensor)) // _TRIED


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum({_storage(tensor)._cdata: _storage(tensor).nbytes() for tensor in tensors}.values())


def _storage(tensor: Tensor) -> torch.UntypedStorage:
    return tensor.untyped_storage()
