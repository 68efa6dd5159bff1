"""What pipelines have left in the folders of a project's layers: the common part of Kedro datasets that read it."""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from kedro.io import AbstractDataset, DatasetError

from openfer.io.provenance import content_of


class HasFiles(Protocol):
    """Something whose files are read when asked for."""

    def files(self) -> Iterator[Path]:
        """Yield the files that may be read; not all of them need be there."""
        ...


Left = TypeVar("Left", bound=HasFiles)


class LeftBehindDataset(AbstractDataset[None, list[Left]], Generic[Left]):
    """All that there is of one kind; their files are read later.

    Args:
        path: folder of the layers.
        metadata: Kedro's.
    """

    _kind: str

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._root = Path(path)
        self.metadata = metadata

    @abstractmethod
    def _found(self) -> list[Left]:
        """Look for them."""

    def load(self) -> list[Left]:
        """Find them.

        Raises:
            DataError: as the kind says.
        """
        return self._found()

    def save(self, data: None) -> None:
        """Refuse: each writes its own files."""
        raise DatasetError(f"the {self._kind} of a project are an input; each writes its own files")

    def content(self) -> str:
        """Return a hash of which ones there are and of all that is read of them.

        Raises:
            DataError: if a file was changed after openfer had made it, or as the kind says.
        """
        return content_of(self._root, (path for each in self._found() for path in each.files()))

    def _exists(self) -> bool:
        return self._root.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._root)}
