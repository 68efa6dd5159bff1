"""`kedro run` with openfer's runner, `kedro runs`, `kedro dvc`, and errors that a person can act on."""

import copy
import functools
import importlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import LOGGING
from kedro.utils import find_kedro_project

from openfer.errors import OpenferError, ParameterError, did_you_mean
from openfer.io.atomic import refusal_message
from openfer.io.error_log import keep_traceback
from openfer.optional import optional
from openfer.runs_command import runs
from openfer.weights_command import weights

os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")  # the address says nothing about the parameter

_RUNNER = "openfer.runners.IdempotentRunner"
_LINES = 6
"""Lines of an error that the terminal shows; the place of the traceback comes below them."""

_CHARACTERS = 300
"""Of a line of a library's own words."""

_FILE_OF_A_DATASET = re.compile(r"\bfilepath=[^',]*'([^']+)'")
"""The file in Kedro's words for a dataset."""


def readable(error: BaseException) -> str:
    """Return the message for an error: that of openfer's own error behind it, if there is one.

    Kedro wraps what a dataset raises; the wrapped error is the one that says what to do. An error of a
    library is cut to its first lines, and the message names the file with its traceback.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OpenferError):
            return f"{type(cause).__name__}: {cause}"
        if isinstance(cause, OSError) and (words := refusal_message(cause, _refused_path(cause, error))):
            return f"StorageError: {words}"
        cause = cause.__cause__ or cause.__context__
    lines = [line for line in f"{type(error).__name__}: {error}".splitlines() if line.strip()]
    shown = [line if len(line) <= _CHARACTERS else f"{line[:_CHARACTERS]} ..." for line in lines[:_LINES]]
    return "\n".join([*shown, *(["..."] if len(lines) > _LINES else []), keep_traceback(error)])


def _refused_path(cause: OSError, error: BaseException) -> Path:
    """Return the file of a refused write; where the library does not name it, that of the dataset in Kedro's words."""
    if cause.filename:
        return Path(cause.filename)
    named = _FILE_OF_A_DATASET.search(str(error))
    return Path(named[1] if named else ".")


def _with_readable_errors(function: Any) -> Any:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            _enter_project()
            with optional("train", "this command", "install what code of your own imports"):
                return function(*args, **kwargs)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            raise click.ClickException(readable(error)) from error

    return wrapped


def _enter_project() -> None:
    """Make the project the current folder, so that every relative path starts from it, and log as it says."""
    root = find_kedro_project(Path.cwd())
    if root is None or root == Path.cwd():
        return
    os.chdir(root)
    settings = root / "conf/logging.yml"
    if settings.is_file() and "KEDRO_LOGGING_CONFIG" not in os.environ:
        import yaml

        LOGGING.configure(yaml.safe_load(settings.read_text(encoding="utf-8")))


def _run_known(
    *args: Any, pipeline: str | None, pipelines: Sequence[str], env: str | None, runner: str, **kwargs: Any
) -> Any:
    """Run pipelines by name, and word a name that does not exist."""
    from openfer.pipeline_registry import pipeline_names

    for name in (*([pipeline] if pipeline else []), *pipelines):
        known = pipeline_names()
        if name not in known:
            raise ParameterError(
                f"--pipelines names {name!r}, which does not exist; "
                f"{did_you_mean(name, known, 'the pipelines are')} {', '.join(known)}"
            )
    if env and not kwargs.get("conf_source"):
        _refuse_unknown_environment(env)
    _refuse_unknown_runner(runner)
    try:
        return kedro_run.callback(*args, pipeline=pipeline, pipelines=pipelines, env=env, runner=runner, **kwargs)
    except ValueError as error:
        if not str(error).startswith("Pipeline does not contain"):
            raise
        described = f"kedro registry describe {' '.join(pipelines) or '__default__'}"
        raise ParameterError(f"{str(error).rstrip('.')}; `{described}` lists its nodes") from error


def _refuse_unknown_environment(env: str) -> None:
    known = sorted(folder.name for folder in Path("conf").iterdir() if folder.is_dir())
    if env not in known:
        raise ParameterError(
            f"--env names {env!r}, which is not a folder of {Path('conf').absolute()}; "
            f"{did_you_mean(env, known, 'the environments are')} {', '.join(known)}"
        )


def _refuse_unknown_runner(runner: str) -> None:
    module, _, name = runner.rpartition(".")
    known = importlib.import_module("openfer.runners").__all__ if module == "openfer.runners" else (name,)
    if name not in known:
        raise ParameterError(
            f"--runner names {runner!r}, which does not exist; "
            f"{did_you_mean(name, known, f'the runners of {module} are')} {', '.join(known)}"
        )


def parameters_of(context: click.Context, option: click.Parameter, value: Any) -> dict[str, Any]:
    """Return the parameters of ``--params``, nested; a comma within brackets belongs to its list or map.

    Kedro's own reading splits at every comma, so that no list of two values can be typed.
    """
    if isinstance(value, dict):
        return value
    from omegaconf import OmegaConf
    from yaml import YAMLError

    pairs = []
    for item in _split_outside_brackets(str(value)):
        key, equals, text = item.partition("=")
        if not equals or not key.strip():
            context.fail(
                f"--params has {item!r}, which is not key=value; separate parameters by commas, such as "
                '--params "addl.datasets=[raf_db,affectnet],addl.seed=1"'
            )
        pairs.append(f"{key.strip()}={text}")
        try:
            OmegaConf.from_dotlist(pairs[-1:])
        except YAMLError:
            context.fail(f"--params has {item!r}, whose value is not YAML; close its brackets and quotes")
    found = OmegaConf.to_container(OmegaConf.from_dotlist(pairs))
    assert isinstance(found, dict)
    return {str(name): inner for name, inner in found.items()}


def _split_outside_brackets(text: str) -> list[str]:
    items, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth <= 0:
            items.append("")
        else:
            items[-1] += letter
    return [item.strip() for item in items if item.strip()]


cli = click.Group(name="openfer")
"""Kedro merges this group into its own; a command of the same name replaces Kedro's."""

_run = copy.copy(kedro_run)
_run.callback = _with_readable_errors(_run_known)
_run.params = [copy.copy(parameter) for parameter in kedro_run.params]
for _parameter in _run.params:
    if _parameter.name == "runner":
        _parameter.default = _RUNNER
    if _parameter.name == "params":
        _parameter.callback = parameters_of
cli.add_command(_run, name="run")

for _group in (runs, weights):
    for _command in _group.commands.values():
        _command.callback = _with_readable_errors(_command.callback)
    cli.add_command(_group)


@cli.command()
@click.option("--env", "-e", default="base", show_default=True, help="Kedro configuration environment of the stages.")
@_with_readable_errors
def dvc(env: str) -> None:
    """Write dvc.yaml: one stage for each pipeline."""
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession

    from openfer.dvc_stages import Stages, dvc_yaml
    from openfer.io.atomic import write_bytes

    root = Path.cwd()
    with KedroSession.create(root, env=env) as session:
        catalog = session.load_context().catalog
    stages = Stages(pipelines, catalog, root).all()
    write_bytes(root / "dvc.yaml", dvc_yaml(stages).encode())
    click.echo(f"Wrote the {len(stages)} stages of dvc.yaml.")
