"""Methods by name: a module in this folder named like the method, with its class as ``METHOD``."""

import importlib
from collections.abc import Mapping
from typing import Any

from openfer import methods
from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import Classes, Method
from openfer.methods.names import method_names
from openfer.parameters import Settings


def method_class(name: str) -> type[Method]:
    """Return the class of a registered method.

    Raises:
        ParameterError: if no method has this name; the message lists those that exist.
    """
    if name not in method_names():
        raise ParameterError(f"method {name!r} does not exist; the methods are {', '.join(method_names())}")
    found: type[Method] = importlib.import_module(f"{methods.__name__}.{name}").METHOD
    return found


def build(
    name: str, config: Settings | Mapping[str, Any], classes: Classes, models: Mapping[str, Checkpoint] | None = None
) -> Method:
    """Build a method with fresh weights, to be trained or to predict.

    Args:
        name: a registered name.
        config: its parameters, validated here when they are a plain map.
        classes: class names by task.
        models: checkpoints of the models in :attr:`Method.needs`, all of them; None for a method
            that only predicts, which needs none.

    Returns:
        The method, on the CPU, in training mode.
    """
    kind = method_class(name)
    settings = config if isinstance(config, kind.config_class) else kind.config_class.model_validate(config)
    method: Method = kind(settings, classes)
    return method if models is None else method.adopt(models)
