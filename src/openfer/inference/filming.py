"""The frames of a camera as rows, until a person ends it."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from openfer.errors import DataError
from openfer.inference.predictor import Predictor
from openfer.inference.rows import Row, face_rows, reason_row
from openfer.io.video import Frame
from openfer.workers import available_cores, in_threads

_ENDS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Give a function that is true once Ctrl+C was pressed, which ends nothing else; a second one does."""
    was_pressed = False

    def note(number: int, _: FrameType | None) -> None:
        nonlocal was_pressed
        was_pressed = True
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, note) for number in _ENDS}
    try:
        yield lambda: was_pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def film(predictor: Predictor, frames: Iterable[Frame], name: str, is_over: Callable[[], bool]) -> Iterator[Row]:
    """Yield the rows of a camera's frames, as those of a video; where the camera stops, the reason comes last.

    Args:
        predictor: the model.
        frames: one by one.
        name: the value of ``file``.
        is_over: asked before every frame.
    """

    def rows(frame: Frame | str) -> list[Row]:
        if isinstance(frame, str):
            return [reason_row(name, frame)]
        return face_rows(name, predictor.faces(frame.pixels), frame.number, frame.seconds)

    for found in in_threads(rows, _until(frames, is_over), available_cores()):
        yield from found


def _until(frames: Iterable[Frame], is_over: Callable[[], bool]) -> Iterator[Frame | str]:
    try:
        for frame in frames:
            if is_over():
                return
            yield frame
    except DataError as error:
        yield str(error)
