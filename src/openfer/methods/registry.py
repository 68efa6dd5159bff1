"""Build registered methods."""

from collections.abc import Mapping
from typing import Any

from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import Classes, Method
from openfer.methods.declaration import METHODS
from openfer.parameters import Settings


def build(
    name: str, config: Settings | Mapping[str, Any], classes: Classes, models: Mapping[str, Checkpoint] | None = None
) -> Method:
    """Build a method with fresh weights, to be trained or to predict.

    Args:
        name: a registered name.
        config: its parameters, validated here when they are a plain map.
        classes: class names by task.
        models: checkpoints of its prerequisites, all of them; None for a method that only predicts, which needs none.

    Returns:
        The method, on the CPU, in training mode.
    """
    declared = METHODS[name]
    settings = config if isinstance(config, declared.settings) else declared.settings.model_validate(config)
    method: Method = declared.network()(settings, classes)
    return method if models is None else method.load_prerequisites(models)
