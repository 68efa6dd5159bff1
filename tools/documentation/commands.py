"""The commands `openfer` and `kedro` in Markdown, from the click commands themselves."""

from collections.abc import Iterator

import click

from openfer.cli import cli
from openfer.console import openfer


def pages() -> str:
    """Return a section for each command: what it does, its arguments and its options."""
    parts: list[str] = []
    for program, group in (("openfer", openfer), ("kedro", cli)):
        for words, command in _commands(program, group):
            parts += [f"## {words}", _help(command), _options(command)]
    return "\n\n".join(parts)


def find(words: list[str]) -> click.Command | None:
    """Return the command that typed words name; None where Kedro or another program has it.

    Args:
        words: such as ``["kedro", "runs", "list"]``.
    """
    found: click.Command | None = {"openfer": openfer, "kedro": cli}.get(words[0])
    for word in words[1:]:
        if not isinstance(found, click.Group):
            break
        found = found.get_command(click.Context(found), word)
    return found


def _commands(above: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(f"{above} {name}", command)
        elif command is not None:
            yield f"{above} {name}", command


def _help(command: click.Command) -> str:
    return (command.help or "").replace("\b", "").strip().replace("<", "&lt;")


def _options(command: click.Command) -> str:
    rows = []
    context = click.Context(command)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            rows.append(f"| `{parameter.human_readable_name}` | argument |")
        else:
            names, text = parameter.get_help_record(context) or ("", "")
            rows.append(f"| `{_cell(names)}` | {_cell(text)} |")
    return "\n".join(["| option | meaning |", "|---|---|", *rows]) if rows else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
