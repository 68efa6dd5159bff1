"""The work on many files, cut into parts: each is written whole or not at all, so an interrupted command resumes."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from openfer.errors import DataError
from openfer.inference.predictor import Predictor
from openfer.inference.rows import Row, face_rows, reason_row
from openfer.inference.sources import Source
from openfer.io.atomic import sha256_of, write_bytes
from openfer.io.images import UnreadableImageError, read_image
from openfer.io.video import Frame, stream_frames
from openfer.version import __version__
from openfer.workers import available_cores, in_threads

_AT_ONCE = 256
"""Images or frames of a part: what an interruption can lose."""


def fingerprint(model: Path, smallest_face: float, sources: Sequence[Source]) -> str:
    """Return a hash (16 hexadecimal digits) of everything that decides the rows."""
    files = []
    for source in sources:
        found = source.path.stat()
        files.append((source.path.as_posix(), found.st_size, found.st_mtime_ns))
    decides = [__version__, sha256_of(model), smallest_face, files]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]


class Parts:
    """The rows of some files, made by a predictor and kept in a folder.

    Args:
        predictor: the model.
        sources: images and videos.
        folder: of this work alone; finished parts in it are kept.
    """

    def __init__(self, predictor: Predictor, sources: Sequence[Source], folder: Path) -> None:
        self._predictor = predictor
        self._folder = folder
        self._pieces = list(_pieces(sources))

    def make(self) -> Iterator[int]:
        """Make the missing parts; yields how many images or frames are done since the last time.

        Raises:
            StorageError: if the disk is full.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for number, piece in enumerate(self._pieces):
            if piece[0].is_video:
                yield from self._make_video(number, piece[0].path)
            else:
                yield from self._make_images(number, [source.path for source in piece])

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all files, in their order."""
        for number, piece in enumerate(self._pieces):
            if piece[0].is_video:
                for part in self._of_video(number):
                    yield from _read(part)
            else:
                yield from _read(self._part(number))

    def _make_images(self, number: int, paths: Sequence[Path]) -> Iterator[int]:
        part = self._part(number)
        if part.is_file():
            yield len(paths)
            return
        waiting: list[Row] = []
        for rows in in_threads(self._of_image, paths, available_cores()):
            waiting += rows
            yield 1
        _write(part, waiting)

    def _make_video(self, number: int, path: Path) -> Iterator[int]:
        start = 0
        for part in self._of_video(number):
            held = len({row["frame"] for row in _read(part) if row.get("frame") is not None})
            start += held
            yield held
            if part == self._last(number):
                return
        file = path.as_posix()
        waiting: list[Row] = []
        count = 0
        for rows in in_threads(self._of_frame(file), _frames(path, start), available_cores()):
            waiting += rows
            if rows[0].get("frame") is None:
                break  # the reason why there are no more
            count += 1
            yield 1
            if count == _AT_ONCE:
                _write(self._part(number, start), waiting)
                start, count, waiting = start + count, 0, []
        if not start and not waiting:
            waiting = [reason_row(file, "holds no frame")]
        _write(self._last(number), waiting)

    def _of_video(self, number: int) -> Iterator[Path]:
        """Yield the finished parts of a video, in order."""
        start = 0
        while (part := self._part(number, start)).is_file():
            yield part
            start += _AT_ONCE
        if self._last(number).is_file():
            yield self._last(number)

    def _part(self, number: int, start: int = 0) -> Path:
        return self._folder / f"{number:06d}-{start:09d}.jsonl"

    def _last(self, number: int) -> Path:
        return self._folder / f"{number:06d}-last.jsonl"

    def _of_image(self, path: Path) -> list[Row]:
        file = path.as_posix()
        try:
            return face_rows(file, self._predictor.faces(read_image(path).pixels))
        except UnreadableImageError as error:
            return [reason_row(file, str(error))]

    def _of_frame(self, file: str) -> Callable[[Frame | str], list[Row]]:
        def rows(frame: Frame | str) -> list[Row]:
            if isinstance(frame, str):
                return [reason_row(file, frame)]
            return face_rows(file, self._predictor.faces(frame.pixels), frame.number, frame.seconds)

        return rows


def _pieces(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Cut sources into single videos and runs of images."""
    for is_video, group in groupby(sources, key=lambda source: source.is_video):
        run = list(group)
        step = 1 if is_video else _AT_ONCE
        yield from (run[start : start + step] for start in range(0, len(run), step))


def _frames(path: Path, start: int) -> Iterator[Frame | str]:
    """Yield the frames of a video from one on; where it is damaged, the reason comes last."""
    try:
        yield from stream_frames(path, start)
    except DataError as error:
        yield str(error).replace(str(path), "the file")


def _write(path: Path, rows: Iterable[Row]) -> None:
    write_bytes(path, "".join(f"{json.dumps(row)}\n" for row in rows).encode())


def _read(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
