"""`kedro run` with openfer's runner, and errors that a person can act on."""

import copy
import functools
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.validation.exceptions import ParameterValidationError

from openfer.errors import OpenferError

_RUNNER = "openfer.runner.IdempotentRunner"


def _with_readable_errors(function: Any) -> Any:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (OpenferError, ParameterValidationError) as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from error

    return wrapped


cli = click.Group(name="openfer")
"""Kedro merges this group into its own; a command of the same name replaces Kedro's."""

_run = copy.copy(kedro_run)
_run.callback = _with_readable_errors(kedro_run.callback)
_run.params = [copy.copy(parameter) for parameter in kedro_run.params]
for _parameter in _run.params:
    if _parameter.name == "runner":
        _parameter.default = _RUNNER
cli.add_command(_run, name="run")
