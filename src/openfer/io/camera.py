"""Frames of a camera, by the way in which the operating system reaches it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from openfer.errors import DataError
from openfer.io.video import Frame

_PAUSE = 0.005
"""Seconds until a camera that has no frame yet is asked again."""


@dataclass(frozen=True)
class Camera:
    """Where PyAV finds a camera.

    Attributes:
        name: what a person reads, such as ``camera 0``.
        address: of the device.
        kind: PyAV's name of the way to it.
        options: of that way.
    """

    name: str
    address: str
    kind: str
    options: dict[str, str] = field(default_factory=dict)


def find_camera(number: int) -> Camera:
    """Return a camera of this computer.

    Args:
        number: counted from 0, as the operating system counts.

    Raises:
        DataError: if the operating system lists no such camera.
    """
    name = f"camera {number}"
    if sys.platform == "darwin":
        return Camera(name, str(number), "avfoundation", {"framerate": "30"})  # its default, 29.97, most refuse
    if sys.platform == "win32":
        known = [one.name for one in av.enumerate_input_devices("dshow") if "video" in one.media_types]
        if number >= len(known):
            raise DataError(f"{name} does not exist, {len(known)} cameras are connected; give a smaller number")
        return Camera(name, f"video={known[number]}", "dshow")
    return Camera(name, f"/dev/video{number}", "v4l2")


@contextmanager
def opened_camera(camera: Camera) -> Iterator[Iterator[Frame]]:
    """Open a camera and give its frames: as it counts them, upright as it sends them, one in memory at a time.

    The first frame is at 0 seconds. Frames that arrive damaged are left out. A camera that stops raises DataError after
    its last frame.

    Args:
        camera: see :func:`find_camera`.

    Raises:
        DataError: if there is no such camera.
    """
    try:
        container = av.open(camera.address, format=camera.kind, options=camera.options)
    except (av.FFmpegError, ValueError) as error:  # ValueError: PyAV without this way
        reason = error.strerror if isinstance(error, av.FFmpegError) else error
        raise DataError(
            f"{camera.name} ({camera.address}) cannot be opened: {reason}; connect a camera, allow its use, or give "
            "another number"
        ) from error
    with container:
        if not container.streams.video:
            raise DataError(f"{camera.name} ({camera.address}) sends no pictures; give another number")
        yield _frames(container, container.streams.video[0], camera)


def _frames(container: InputContainer, stream: VideoStream, camera: Camera) -> Iterator[Frame]:
    pictures = (frame for packet in _packets(container, stream) for frame in _decoded(packet))
    first: float | None = None
    try:
        for number, picture in enumerate(pictures):
            seconds = picture.time or 0.0
            first = seconds if first is None else first
            yield Frame(number, seconds - first, picture.to_ndarray(format="rgb24"))
    except av.FFmpegError as error:
        raise DataError(f"{camera.name} stopped: {error.strerror}; connect it again") from error


def _decoded(packet: "Packet[VideoStream]") -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except av.InvalidDataError:  # the first packets of many cameras
        return []


def _packets(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    while True:
        try:
            yield from container.demux(stream)
            return
        except av.BlockingIOError:  # AVFoundation, when no frame is there yet
            time.sleep(_PAUSE)
