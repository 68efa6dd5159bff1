"""The program `openfer`: commands that use a trained model. `kedro` has those that make one."""

import importlib
import os
import sys

import click

from openfer.errors import OpenferError

_COMMANDS = {
    "predict": "openfer.inference.command:predict",
    "export": "openfer.export_command:export",
    "serve": "openfer.inference.serve.command:serve",
    "page": "openfer.inference.page.command:page",
}
"""Where each command is; a module is imported when its command is typed."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found


@click.group(cls=_Commands)
@click.version_option(package_name="openfer")
def openfer() -> None:
    """Open, reproducible facial expression recognition.

    The commands that train are those of `kedro`, which the extra `train` brings: pip install 'openfer[train]'.
    """


def main() -> None:
    """Run a command; an error that openfer raises on purpose is shown without a traceback."""
    os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")
    try:
        openfer()
    except OpenferError as error:
        click.echo(f"Error: {type(error).__name__}: {error}", err=True)
        sys.exit(1)
