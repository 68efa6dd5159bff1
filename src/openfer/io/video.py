"""Frames of video files: how many there are, and some or all of them as upright arrays."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.video.stream import VideoStream

from openfer.errors import DataError

VIDEOS = (".avi", ".mp4", ".mov", ".mkv", ".mpg", ".mpeg", ".wmv", ".webm", ".m4v")
"""Endings of the names of video files."""

_LARGEST_MEGAPIXELS = 100.0
_RATE = 25
"""Frames a second of a video that says neither times nor a rate."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Attributes:
        number: counted from 0.
        seconds: its time, as the container says.
        pixels: RGB, uint8, (H, W, 3), turned as the container says.
    """

    number: int
    seconds: float
    pixels: np.ndarray


def count_frames(path: Path) -> int:
    """Return the number of frames of a video, decoding none.

    The container's own count is taken where it has one; otherwise its packets are counted.

    Raises:
        DataError: if the file is missing, is no video, or holds no frame.
    """
    with _opened(path) as (container, stream):
        count = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
    if count == 0:
        raise DataError(f"{path} holds no frame; restore it from the publisher's copy")
    return count


def iterate_frames(
    path: Path, indices: Sequence[int], largest_megapixels: float = _LARGEST_MEGAPIXELS
) -> Iterator[np.ndarray]:
    """Yield some frames of a video, one in memory at a time.

    The video is decoded from its start, as only this gives exact frames in every format.

    Args:
        path: the video.
        indices: the frames, counted from 0, ascending; a repeated one is given again.
        largest_megapixels: a video that claims larger frames is not decoded.

    Yields:
        RGB arrays (height, width, 3), uint8, turned and mirrored as a player shows them.

    Raises:
        DataError: if the video is missing or damaged, or ends before a frame that was asked for; the frames before
            that are given first.
    """
    if list(indices) != sorted(indices) or any(index < 0 for index in indices):
        raise DataError(f"{path}: frames {list(indices)[:5]} were asked for; frames are counted from 0, ascending")
    if not indices:
        return
    wanted, number = list(reversed(indices)), -1
    for number, _, frame in _decoded(path, largest_megapixels):
        if wanted[-1] == number:
            pixels = _upright(frame)
            while wanted and wanted[-1] == number:
                wanted.pop()
                yield pixels
        if not wanted:
            return
    raise DataError(
        f"{path} ends after {number + 1} frames, frame {indices[-1]} was asked for; "
        "it is damaged or another edition: restore it from the publisher's copy"
    )


def stream_frames(path: Path, start: int = 0) -> Iterator[Frame]:
    """Yield all frames of a video from a number on, one in memory at a time.

    Frames before the first one are decoded and dropped, as only this gives exact frames in every format.

    Args:
        path: the video.
        start: the first frame, counted from 0; there may be none.

    Raises:
        DataError: if the video is missing or damaged; the frames before the damage are given first.
    """
    for number, seconds, frame in _decoded(path, _LARGEST_MEGAPIXELS):
        if number >= start:
            yield Frame(number, seconds, _upright(frame))


def _decoded(path: Path, largest_megapixels: float) -> Iterator[tuple[int, float, av.VideoFrame]]:
    with _opened(path) as (container, stream):
        megapixels = stream.codec_context.width * stream.codec_context.height / 1e6
        if megapixels > largest_megapixels:
            raise DataError(f"{path} has frames of {megapixels:.0f} megapixels, the limit is {largest_megapixels:g}")
        stream.codec_context.thread_count = 1  # with more, frames of a damaged video depend on their order
        for number, frame in enumerate(container.decode(stream)):
            counted = float(number / (stream.average_rate or _RATE))
            yield number, counted if frame.time is None else frame.time, frame


def _upright(frame: av.VideoFrame) -> np.ndarray:
    """Return a frame turned and mirrored by its display matrix, as telephones store portraits rotated."""
    pixels = frame.to_ndarray(format="rgb24", threads=1)
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]
    if matrix is None:
        return pixels
    a, b, _, c, d = struct.unpack_from("5i", bytes(matrix))  # x' = a x + c y, y' = b x + d y
    if abs(b) > abs(a):  # across: columns become rows
        pixels = pixels.transpose(1, 0, 2)
        a, d = c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    if not path.is_file():
        raise DataError(f"{path} does not exist; restore it from the publisher's copy")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.video:
                raise DataError(f"{path} has no pictures, only {len(container.streams)} other streams")
            yield container, container.streams.video[0]
    except av.FFmpegError as error:
        raise DataError(
            f"{path} cannot be read as a video: {error.strerror}; restore it from the publisher's copy"
        ) from error
