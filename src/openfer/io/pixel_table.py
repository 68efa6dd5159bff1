"""FER2013's images: a CSV file whose rows hold grey values as text, read one row at a time."""

import csv
from pathlib import Path

import numpy as np

from openfer.errors import DataError

_BLOCK = 1 << 22
_LONGEST_LINE = 1 << 17
"""Bytes, a dozen times those of a whole row; a file without line ends would otherwise be read as one line."""

_NEWLINE = ord("\n")


class PixelTable:
    """Random access to the images in a CSV file.

    Only the places of the lines are kept, eight bytes each; a row is read and parsed when it is asked for. No file
    stays open, so that a table can be sent to other processes and used by several threads.

    Args:
        path: a CSV file with a header; one of its columns is ``pixels``, grey values between blanks.
        side: width and height of the images.

    Raises:
        DataError: if the file is missing or has no such column.
    """

    def __init__(self, path: Path, side: int = 48) -> None:
        self.path = path
        self._side = side
        if not path.is_file():
            raise DataError(f"{path} does not exist; its rows hold the images")
        self._starts = _line_starts(path)
        header = self._line(0)
        if "pixels" not in header:
            shown = ", ".join(header)[:80]
            raise DataError(f"{path} has the columns {shown}, none of them is `pixels`; this copy holds no images")
        self._column = header.index("pixels")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._starts) - 2  # the header, and the end of the file

    def __getitem__(self, row: int) -> np.ndarray:
        """Return the image in a row, counted from 0 after the header: uint8, (side, side).

        Raises:
            DataError: if there is no such row, or it is not a full image of numbers from 0 to 255.
        """
        if not 0 <= row < len(self):
            raise DataError(f"{self.path} has no row {row}; it has {len(self)} rows")
        cells = self._line(row + 1)
        try:
            numbers = np.array(cells[self._column].split(), dtype=np.int64)
        except (IndexError, ValueError, OverflowError) as error:
            raise self._damaged(row, f"its pixels cannot be read ({error})") from error
        if len(numbers) != self._side**2:
            raise self._damaged(row, f"it has {len(numbers)} pixels instead of {self._side**2}")
        if numbers.min() < 0 or numbers.max() > 255:
            raise self._damaged(row, f"its values go from {numbers.min()} to {numbers.max()} instead of 0 to 255")
        return numbers.astype(np.uint8).reshape(self._side, self._side)

    def _line(self, number: int) -> list[str]:
        start, length = int(self._starts[number]), int(self._starts[number + 1] - self._starts[number])
        if length > _LONGEST_LINE:
            raise DataError(f"line {number + 1} of {self.path} cannot be read: it has {length} bytes; restore the file")
        with self.path.open("rb") as file:
            file.seek(start)
            text = file.read(length).decode("utf-8-sig", errors="replace").strip()
        try:
            return [cell.strip() for cell in next(csv.reader([text]), [])]
        except csv.Error as error:
            raise DataError(f"line {number + 1} of {self.path} cannot be read: {error}; restore the file") from error

    def _damaged(self, row: int, what: str) -> DataError:
        return DataError(f"row {row} of {self.path} is damaged: {what}; restore the file from the publisher's copy")


def _line_starts(path: Path) -> np.ndarray:
    """Return where each line starts, and where the last one ends; empty lines at the end are not counted."""
    ends, position, last = [np.zeros(1, dtype=np.int64)], 0, _NEWLINE
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            ends.append(np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == _NEWLINE) + position + 1)
            position += len(block)
            last = block[-1]
    starts = np.concatenate(ends)
    if last != _NEWLINE:
        starts = np.append(starts, position)
    lengths = np.diff(starts)
    full = np.flatnonzero(lengths > len("\r\n"))  # what is shorter is an empty line
    if not full.size:
        raise DataError(f"{path} is empty; restore it from the publisher's copy")
    return starts[: full[-1] + 2]
