"""Write docs/deviations.md, the table of all deviations from the papers, from docs/deviations.yml."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SOURCE, PAGE = ROOT / "docs/deviations.yml", ROOT / "docs/deviations.md"

_HEAD = """\
# Deviations from the papers

Written by `python tools/deviations.py` from [deviations.yml](deviations.yml). A test compares both, and each value with
the configuration. "Default" is `kedro run`; "`--env paper`" takes the published settings. Where a paper leaves a value
open, the row says what openfer takes. Values under `--env paper` are those of RAF-DB unless a dataset is named.
"""
_COLUMNS = ("where", "the paper says", "default", "`--env paper`", "parameter", "why")


def read(source: Path = SOURCE) -> dict[str, Any]:
    """Return the deviations by paper, and the parameters that stay as they are."""
    return dict(yaml.safe_load(source.read_text()))


def page(found: dict[str, Any]) -> str:
    """Return the table as Markdown, one section for each paper."""
    parts = [_HEAD]
    for paper, rows in found["deviations"].items():
        parts += [f"\n## {paper}\n", table(rows)]
    return "\n".join(parts) + "\n"


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows of one paper as a Markdown table."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|" + "---|" * len(_COLUMNS)]
    return "\n".join([*lines, *(f"| {' | '.join(_cells(row))} |" for row in rows)])


def _cells(row: dict[str, Any]) -> list[str]:
    named = row["parameter"] is not None
    shown = [_value(row[key]) if named else row[key] for key in ("default", "under_paper")]
    if row.get("dataset"):
        shown[1] += f" ({row['dataset']})"
    return [row["where"], row["says"], *shown, f"`{row['parameter']}`" if named else "", row["why"]]


def _value(value: Any) -> str:
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix('...' + chr(10)).strip()}`"


if __name__ == "__main__":
    PAGE.write_text(page(read()))
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
