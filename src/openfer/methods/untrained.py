"""Methods with random weights and batches of noise: for costs, which depend on neither."""

from collections.abc import Mapping
from typing import Any

import torch

from openfer.io.checkpoint import Checkpoint
from openfer.labels import ATTRIBUTE, BASIC_EXPRESSIONS, CELEBA_ATTRIBUTES, FACTOR_CLASSES, PRESENCE
from openfer.methods.contract import EXTRA_SHAPES, Batch, Method
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build

_IDENTITIES = 337

VOCABULARY: Mapping[str, tuple[str, ...]] = {
    **FACTOR_CLASSES,
    "identity": tuple(f"{number:03d}" for number in range(_IDENTITIES)),
    "expression": BASIC_EXPRESSIONS,
    **{f"{ATTRIBUTE}{name}": PRESENCE for name in CELEBA_ATTRIBUTES},
}
"""Class names by task: seven expressions, the factors as Multi-PIE and RAF-DB label them (ADDL, Table 5), and CelebA's
attributes."""


def untrained(name: str, settings: Mapping[str, Any] | None = None) -> Method:
    """Build a method that can take training steps; its prerequisites have random weights too.

    Args:
        name: a registered name.
        settings: what differs from the method's defaults.

    Returns:
        The method in training mode, on torch's default device.
    """
    declared = METHODS[name]
    checked = declared.settings.model_validate(settings or {})
    needed = {}
    for model in declared.prerequisites_of(checked):
        trained = untrained(model)
        facts = {"classes": trained.classes, "config": trained.config.model_dump(mode="json")}
        needed[model] = Checkpoint(trained.own_state(), facts)
    classes = {task: VOCABULARY[task] for task in declared.tasks_of(checked)}
    return build(name, checked, classes, needed).train()


def noise_batch(method: Method, count: int, side: int, device: torch.device | str = "cpu") -> Batch:
    """Return a batch that the method can learn from: noise for images, and every class in turn.

    Args:
        method: its tasks, extras and regression targets decide what the batch holds.
        count: samples.
        side: of the images in pixels.
        device: where the batch is made.
    """
    with torch.device(device):
        turns = torch.arange(count)
        labels = {task: turns % len(names) for task, names in method.classes.items()}
        extras = {name: torch.rand(count, *EXTRA_SHAPES[name]) for name in method.declared.extras}
        targets = {name: torch.rand(count) for name in method.declared.regression_targets}
        return Batch(torch.randn(count, 3, side, side), labels, extras, targets=targets)
