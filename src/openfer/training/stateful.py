"""What every part of a run offers so that an interrupted run resumes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class State:
    """All that a part needs to continue.

    Attributes:
        tensors: by name; a file keeps type, shape and values, but neither device nor memory layout.
        facts: JSON-serialisable.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Stateful(Protocol):
    """A part of a run with a state: weights, optimisers, selected epochs, history, position and so on."""

    def state(self) -> State:
        """Return the state as it is now."""
        ...

    def restore(self, state: State) -> None:
        """Continue from what :meth:`state` returned, possibly in another process."""
        ...
