"""The weight manifest: names for files of weights, with hash, licence and origin; readable without torch."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from openfer.errors import ParameterError, did_you_mean
from openfer.nn.initialisation_settings import NONE, PRETRAIN, WeightsEntry
from openfer.parameters import at_home

_IN_PACKAGE = "package:"


def with_weights(parameters: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Put beside each ``initialisation.backbone`` that is a name, however deep, what the manifest says, as ``entry``.

    So a node reads its own parameters alone, and what it makes goes stale with the entry. What has a folder or a
    suffix is a path and no name; beside it, and beside ``none`` and ``pretrain``, ``entry`` is null.

    Args:
        parameters: of runs, by name, as YAML files and the command line give them.
        manifest: of ``conf/*/weights.yml``.

    Returns:
        The same parameters with the entries.

    Raises:
        ParameterError: if an entry is not one, or nothing has such a name; the nearest ones are given.
    """
    entries = {name: _checked(name, entry) for name, entry in manifest.items()}
    return {run: _expanded(run, block, entries) for run, block in parameters.items()}


def _checked(name: str, entry: Any) -> dict[str, Any]:
    if name in (NONE, PRETRAIN) or not _is_name(name):
        raise ParameterError(
            f"weights.yml names an entry {name!r}, which as a backbone means something else; call it by a word without "
            f"dots and slashes that is not {NONE} or {PRETRAIN}"
        )
    try:
        WeightsEntry.model_validate(entry)
    except ValidationError as error:
        raise ParameterError(f"weights.yml, entry {name}: {error}") from error
    return dict(entry)


def _expanded(run: str, block: Any, entries: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(block, Mapping):
        return block
    block = {key: _expanded(f"{run}.{key}", inner, entries) for key, inner in block.items()}
    first = block.get("initialisation")
    if not isinstance(first, Mapping):
        return block
    backbone = first.get("backbone")
    if not isinstance(backbone, str):
        return block
    if backbone in (NONE, PRETRAIN) or not _is_name(backbone):
        # laid over a block that names an entry, as by a study, it must take that entry away
        return {**block, "initialisation": {**first, "entry": None}}
    if backbone not in entries:
        names = (NONE, PRETRAIN, *entries)
        raise ParameterError(
            f"{run}.initialisation.backbone is {backbone!r}, which weights.yml does not name; "
            f"{did_you_mean(backbone, names, 'the names are')} {', '.join(names)}; a file is given by its path, such "
            f"as ./{backbone}.pth"
        )
    entry = dict(entries[backbone])
    return {**block, "initialisation": {**first, "entry": entry | {"path": _place(entry["path"])}}}


def _place(path: str) -> str:
    """Return a file's path; one that begins with ``package:`` lies in an installed package, which is not imported."""
    if not path.startswith(_IN_PACKAGE):
        return at_home(path)
    package, _, inner = path.removeprefix(_IN_PACKAGE).partition("/")
    found = importlib.util.find_spec(package)
    root = package if found is None or found.origin is None else str(Path(found.origin).parent)
    return str(Path(root) / inner)


def _is_name(backbone: str) -> bool:
    return not Path(backbone).suffix and not {"/", "\\"} & set(backbone)
