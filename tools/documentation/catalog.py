"""The catalog in Markdown: what each entry holds, and where it lies."""

from collections.abc import Iterator
from pathlib import Path

import yaml


def pages(folder: Path) -> str:
    """Return a section for each file of the catalog, in order of the layers.

    Args:
        folder: of the catalog's YAML files.
    """
    parts = []
    for path in sorted(folder.glob("*.yml")):
        title = path.stem.partition("_")[2]
        rows = ["| entry | kind | file |", "|---|---|---|", *_rows(path)]
        parts += [f"## {title.capitalize()}", "\n".join(rows)]
    return "\n\n".join(parts)


def _rows(path: Path) -> Iterator[str]:
    for name, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if name.startswith("_"):
            continue  # a template of other entries
        kind = str(entry["type"]).rpartition(".")[2]
        place = str(entry.get("filepath", entry.get("path", ""))).replace("${globals:data_root}", "data")
        yield f"| `{name}` | {kind} | {f'`{place}`' if place else ''} |"
