"""A node with the ingredients of its fingerprint, which decides whether it is up to date."""

from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline.node import Node

from openfer.code_version import WATCHED, code_modules
from openfer.io import copies
from openfer.io.datasets import WorkFolderDataset
from openfer.io.provenance import (
    Ingredients,
    content_hash,
    decisive,
    forget,
    is_there,
    listing_stamp,
    read_record,
    write_record,
)


class Work:
    """One node with the ingredients of its fingerprint.

    Args:
        node: node to run.
        catalog: catalog with its inputs.
    """

    def __init__(self, node: Node, catalog: CatalogProtocol) -> None:
        self._folders = [d for d in map(catalog.get, node.inputs) if isinstance(d, WorkFolderDataset)]
        values = {name: catalog.load(name) for name in node.inputs if _is_parameter(name)}
        self._afresh = any(getattr(value, "fresh", False) for value in values.values())
        parameters: dict[str, Any] = {name: decisive(value) for name, value in values.items()}
        contents = {name: _content(catalog, name) for name in node.inputs if not _is_parameter(name)}
        inputs = {name: content for name, content in contents.items() if content is not None}
        watched = {name: Path(values[name].root) for name in getattr(node.func, WATCHED, ())}
        inputs |= {f"files of {name}": listing_stamp(root) for name, root in watched.items()}
        self._source_is_gone = any(not root.exists() for root in watched.values())
        self.ingredients = Ingredients(parameters, inputs, code_modules(node.func))
        self.outputs = {name: local_path(catalog, name) for name in node.outputs}
        paths = (local_path(catalog, name) for name in contents)
        self._inputs = [path for path in paths if path is not None]

    def is_done(self) -> bool:
        """Return whether all outputs are what the node would make."""
        if self._afresh or not self.outputs:
            return False
        return all(output is not None and self._made(output) for output in self.outputs.values())

    def _made(self, output: Path) -> bool:
        record = read_record(output)
        fingerprint = self.ingredients.fingerprint
        if record is None or (record.fingerprint != fingerprint and not self._source_is_gone):
            return False
        content_hash(output)  # raises if the file was changed: that is an error, not a result
        return True

    def begin(self) -> None:
        """Fetch inputs, prepare work folders, and remove the records of outputs that are made again.

        Raises:
            DataError: if an input in a bucket is damaged.
            StorageError: if the bucket cannot be reached.
        """
        for path in self._inputs:
            copies.fetch(path)
        for folder in self._folders:
            folder.begin(self.ingredients.fingerprint, afresh=self._afresh)
        for output in self.outputs.values():
            if output is not None:
                copies.begin(output)
                forget(output)

    def finish(self) -> None:
        """Write the records of the outputs, clear work folders, and share the outputs.

        Raises:
            StorageError: if the outputs belong in a bucket that cannot be written; the same command shares them.
        """
        for output in self.outputs.values():
            if output is not None and output.exists():
                write_record(output, self.ingredients)
        for folder in self._folders:
            folder.clear()
        for output in self.outputs.values():
            if output is not None:
                copies.share(output)


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _content(catalog: CatalogProtocol, name: str) -> str | None:
    """Return the hash of what a dataset holds; None where it has no files yet, or none on this machine."""
    dataset = catalog.get(name)
    if hasattr(dataset, "content"):
        content: str = dataset.content()
        return content
    path = local_path(catalog, name)
    return content_hash(path) if path is not None and is_there(path) else None


def local_path(catalog: CatalogProtocol, name: str) -> Path | None:
    """Return the local file or folder of a dataset; None for one that lives in memory or elsewhere."""
    dataset = catalog.get(name)
    if isinstance(dataset, WorkFolderDataset) or getattr(dataset, "_protocol", "file") != "file":
        return None
    place = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    return None if place is None else Path(place)
