"""An S3 server on this machine (moto) that counts what is read."""

import itertools
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from s3fs import S3FileSystem
from werkzeug.serving import make_server

_FOLDER = "openfer"
_numbers = itertools.count()  # moto keeps buckets for the process, not for the server


@dataclass
class Bucket:
    """A bucket.

    Attributes:
        name: of the bucket.
        reads: each read of an object in its folder: name and bytes.
    """

    name: str
    reads: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._bucket = boto3.resource("s3").create_bucket(Bucket=self.name)

    @property
    def url(self) -> str:
        """The address of its folder."""
        return f"s3://{self.name}/{_FOLDER}"

    @property
    def names(self) -> Set[str]:
        """The objects in the folder."""
        return {each.key.removeprefix(f"{_FOLDER}/") for each in self._bucket.objects.filter(Prefix=f"{_FOLDER}/")}

    @property
    def bytes_read(self) -> int:
        """The bytes of all reads."""
        return sum(size for _, size in self.reads)

    def put(self, name: str, content: bytes) -> None:
        """Write an object behind openfer's back."""
        self._bucket.put_object(Key=f"{_FOLDER}/{name}", Body=content)


class Server:
    """Serves buckets to this process and to those that it starts.

    Args:
        application: moto's, which keeps the buckets in memory.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._buckets: dict[str, Bucket] = {}

    def __call__(self, environment: dict[str, Any], start_response: Any) -> Any:
        """Answer a request, and count the bytes of an object that it reads."""
        answer = self._application(environment, start_response)
        name, _, place = environment["PATH_INFO"].lstrip("/").partition("/")
        if environment["REQUEST_METHOD"] != "GET" or not place.startswith(f"{_FOLDER}/"):
            return answer
        content = b"".join(answer)
        self._buckets[name].reads.append((place.removeprefix(f"{_FOLDER}/"), len(content)))
        return [content]

    def new_bucket(self) -> Bucket:
        """Return an empty bucket."""
        bucket = Bucket(f"results-{next(_numbers)}")
        self._buckets[bucket.name] = bucket
        return bucket


@contextmanager
def s3_server() -> Iterator[Server]:
    """Start a server, and name it in AWS's environment variables."""
    served = Server(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, served, threaded=True)
    given = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_DEFAULT_REGION": "us-east-1"}
    given |= {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        S3FileSystem.clear_instance_cache()  # one of another server
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def outputs(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder but hidden ones, by name."""
    files = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(name): path.read_bytes() for name, path in files.items() if not any(p[0] == "." for p in name.parts)}
