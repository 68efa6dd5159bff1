"""The objects below an address in a bucket: listed, downloaded, uploaded and removed, many at once."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openfer.errors import ParameterError, StorageError
from openfer.io.atomic import refusal_message
from openfer.optional import optional

if TYPE_CHECKING:
    from s3fs import S3FileSystem

_SCHEME = "s3://"


class Stored(NamedTuple):
    """What a bucket says of an object.

    Attributes:
        version: differs between two contents of one name.
        bytes: its size.
    """

    version: str
    bytes: int


class ObjectStore:
    """Objects in a bucket. Endpoint and credentials come from AWS's own variables and files.

    Args:
        url: ``s3://bucket/prefix``; names of objects are relative to it.

    Raises:
        ParameterError: if the address is of another kind, or s3fs is not installed.
    """

    def __init__(self, url: str) -> None:
        self.place = url.removeprefix(_SCHEME).strip("/")
        self.url = _SCHEME + self.place
        if not url.startswith(_SCHEME) or not self.place:
            raise ParameterError(f"data_root is {url!r}; give s3://bucket/folder, or a folder of this machine")
        with optional("s3", f"data_root {url}", "give a folder of this machine"):
            import s3fs  # noqa: F401

    def listing(self, name: str = "") -> dict[str, Stored]:
        """Return an object, or all objects below a folder, by name; nothing if there is none.

        Objects whose names lead out of the folder, such as ``../x``, are left out.

        Raises:
            StorageError: if the bucket does not exist, or cannot be reached.
        """
        with self._worded("listed"):
            found = self._files.find(self._at(name), detail=True)
        return {
            place.removeprefix(f"{self.place}/"): Stored(str(facts["ETag"]), int(facts["size"]))
            for place, facts in found.items()
            if ".." not in place.split("/")
        }

    def download(self, targets: Mapping[str, Path]) -> None:
        """Copy objects to files of this machine. A killed download leaves a file that is too short.

        Args:
            targets: the file of each object.

        Raises:
            StorageError: if an object is gone, or the bucket cannot be reached.
        """
        with self._worded("read"):
            if targets:
                self._files.get([self._at(name) for name in targets], [str(path) for path in targets.values()])

    def upload(self, sources: Mapping[str, Path]) -> None:
        """Copy files of this machine to objects.

        Args:
            sources: the file of each object.

        Raises:
            StorageError: if the bucket cannot be written.
        """
        with self._worded("written"):
            if sources:
                self._files.put([str(path) for path in sources.values()], [self._at(name) for name in sources])

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; those that are not there are none.

        Raises:
            StorageError: if the bucket cannot be written.
        """
        with self._worded("written"):
            for name in names:
                self._files.rm_file(self._at(name))

    @cached_property
    def _files(self) -> "S3FileSystem":
        from s3fs import S3FileSystem

        return S3FileSystem(use_listings_cache=False)

    def _at(self, name: str) -> str:
        return f"{self.place}/{name}" if name else self.place

    @contextmanager
    def _worded(self, done: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (OSError, BotoCoreError) as error:
            if isinstance(error, OSError) and refusal_message(error, Path()) is not None:
                raise  # this machine's disk is full
            raise StorageError(
                f"{self.url} cannot be {done}: {' '.join(str(error).split())}. Check that the bucket exists, "
                "AWS_ENDPOINT_URL and AWS's credentials; what is done on this machine is kept, and the same command "
                "goes on from there"
            ) from error
