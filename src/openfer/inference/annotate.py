"""Copies of images and videos with what was predicted drawn on them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image

from openfer.errors import DataError
from openfer.inference.drawing import draw
from openfer.inference.rows import Row
from openfer.inference.sources import Source
from openfer.io.atomic import atomic_path
from openfer.io.image_kinds import IMAGES
from openfer.io.images import UnreadableImageError, read_image
from openfer.io.video import Frame, stream_frames

_VIDEO = ".mp4"
_CODEC: Final = "libx264"
_TICKS = 1000
"""A second of an annotated video, in units of its frames' times."""


def annotate(sources: Sequence[Source], rows: Iterable[Row], folder: Path) -> Iterator[int]:
    """Write a copy of every file that can be read; yields how many images or frames each has.

    A copy lies in ``folder`` as its file lies below the folder that all files share. The name of a video is given the
    ending ``.mp4`` if it has another, and that of an image ``.png`` if its own is not one of an image. Sound is left
    out.

    Args:
        sources: the files.
        rows: of all of them, in the same order.
        folder: where the copies go; it is made.

    Raises:
        StorageError: if the disk is full.
    """
    shared = Path(os.path.commonpath([source.path.absolute().parent for source in sources]))
    for source, (_, own) in zip(sources, groupby(rows, key=lambda row: row["file"]), strict=True):
        copy = folder / source.path.absolute().relative_to(shared)
        yield _video(source.path, own, copy) if source.is_video else _image(source.path, own, copy)


def _image(path: Path, rows: Iterable[Row], copy: Path) -> int:
    try:
        pixels = read_image(path).pixels
    except UnreadableImageError:  # its row says so
        return 1
    kind = path.suffix.lower() if path.suffix.lower() in IMAGES else ".png"
    target = copy if kind == path.suffix.lower() else copy.with_name(f"{copy.name}{kind}")
    with atomic_path(target) as temporary:
        Image.fromarray(draw(pixels, list(rows))).save(temporary, Image.registered_extensions()[kind])
    return 1


def _video(path: Path, rows: Iterable[Row], copy: Path) -> int:
    frames = stream_frames(path)
    first = _next(frames)
    if first is None:
        return 0
    target = copy if copy.suffix.lower() == _VIDEO else copy.with_name(f"{copy.name}{_VIDEO}")
    height, width = (side // 2 * 2 for side in first.pixels.shape[:2])  # the codec takes even sides alone
    count, time = 0, -1
    with atomic_path(target) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream(_CODEC, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        frame: Frame | None = first
        for _, own in groupby(rows, key=lambda row: row.get("frame")):
            if frame is None:
                break
            time = max(time + 1, round((frame.seconds - first.seconds) * _TICKS))
            _encode(container, stream, draw(frame.pixels, list(own))[:height, :width], time)
            count, frame = count + 1, _next(frames)
        container.mux(stream.encode())
    return count


def _encode(container: av.container.OutputContainer, stream: VideoStream, pixels: np.ndarray, time: int) -> None:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    picture.pts, picture.time_base = time, Fraction(1, _TICKS)
    container.mux(stream.encode(picture))


def _next(frames: Iterator[Frame]) -> Frame | None:
    """Return the next frame; None at the end, or where the video is damaged."""
    try:
        return next(frames, None)
    except DataError:
        return None
