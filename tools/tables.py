"""Write docs/tables.md, how every table and figure of the papers is made, from docs/tables.yml."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SOURCE, PAGE = ROOT / "docs/tables.yml", ROOT / "docs/tables.md"

_HEAD = """\
# Every table and figure of the five papers

Written by `python tools/tables.py` from [tables.yml](tables.yml). A test compares both, and plans each command. The
commands take the published settings and your copies of the datasets. A study's table lies in
`data/paper/08_reporting/studies/<study>/`; the files of a run lie in `data/paper/08_reporting/<method>/<run>/`.
"""
_COLUMNS = ("table or figure", "shows", "command", "files", "remark")
_KINDS = {"table": "csv", "text": "md", "picture": "png", "image": "png", "plot": "json"}


def read(source: Path = SOURCE) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by paper."""
    return dict(yaml.safe_load(source.read_text()))


def page(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return the list as Markdown, one section for each paper."""
    parts = [_HEAD]
    for paper, rows in found.items():
        parts += [f"\n## {paper}\n", table(rows)]
    return "\n".join(parts) + "\n"


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows of one paper as a Markdown table."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|" + "---|" * len(_COLUMNS)]
    return "\n".join([*lines, *(f"| {' | '.join(_cells(row))} |" for row in rows)])


def command(row: dict[str, Any]) -> str:
    """Return the command of a row; nothing where there is none."""
    if "why_not" in row:
        return ""
    params = {"study": row["study"]} if "study" in row else row.get("params", {})
    typed = ",".join(f"{name}={value}" for name, value in params.items())
    options = f" --params {typed}" if typed else ""
    return f"kedro run --env paper --pipelines {row.get('pipeline', 'study')}{options}"


def _cells(row: dict[str, Any]) -> list[str]:
    typed = command(row)
    files = ", ".join(f"`{_file(name)}`" for name in row.get("outputs", ()))
    return [
        row["item"],
        row["shows"],
        f"`{typed}`" if typed else "none",
        files,
        row.get("why_not", row.get("note", "")),
    ]


def _file(output: str) -> str:
    name, _, kind = output.rpartition("_")
    return f"{name}.{_KINDS[kind]}"


if __name__ == "__main__":
    PAGE.write_text(page(read()))
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
