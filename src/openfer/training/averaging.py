"""The exponential moving average of a method's weights over the steps of a stage."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from openfer.methods.contract import Method
from openfer.training.stateful import State

_STATISTICS = ("running_mean", "running_var")


class WeightAverage:
    """Averages the weights of a stage's steps; a :class:`Stateful` part of the run.

    After every step each averaged tensor becomes ``decay * average + (1 - decay) * weights``. It starts at the weights
    that the stage begins with. Parameters are averaged, and so are the running means and variances of batch
    normalisation, with the same decay: they follow the averaged weights without a second pass over the data. All
    other buffers, such as counters and class centres, are copied from the last step.

    Args:
        method: which trains.
        decay: in (0, 1); None averages nothing, and every operation does nothing.
    """

    def __init__(self, method: Method, decay: float | None) -> None:
        self._method, self._decay = method, decay
        own = {} if decay is None else method.own_state()
        self._averages = {key: value.detach().clone() for key, value in own.items()}
        parameters = {name for name, _ in method.named_parameters()}
        self._averaged = {key for key in own if key in parameters or key.rpartition(".")[2] in _STATISTICS}

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights after a step into the average."""
        if self._decay is None:
            return
        for key, value in self._method.own_state().items():
            if key in self._averaged:
                self._averages[key].lerp_(value, 1 - self._decay)
            else:
                self._averages[key].copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the method the averaged weights, and its own ones back afterwards."""
        own = {key: value.clone() for key, value in self._method.own_state().items() if key in self._averages}
        self.apply()
        try:
            yield
        finally:
            if self._decay is not None:
                self._method.load_own_state(own)

    def apply(self) -> None:
        """Give the method the averaged weights for good, as at the end of a stage."""
        if self._decay is not None:
            self._method.load_own_state(self._averages)

    def state(self) -> State:
        """Return the averages."""
        return State(self._averages)

    def restore(self, state: State) -> None:
        """Continue with the averages that :meth:`state` returned."""
        for key, value in state.tensors.items():
            self._averages[key].copy_(value)
