"""A perceptual hash of an aligned face: 256 bits that a copy keeps and another picture does not."""

import numpy as np
from PIL import Image
from scipy.fft import dctn

_SIDE = 64
_BITS = 256
_WINDOW = 0.7
"""Deviation of the window in half sides of the crop."""


def _lowest_frequencies() -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the lowest frequencies of a cosine transform, without the mean."""
    row, column = np.indices((_SIDE, _SIDE)).reshape(2, -1)
    nearest = np.argsort(row**2 + column**2, kind="stable")[1 : _BITS + 1]
    return row[nearest], column[nearest]


def _window() -> np.ndarray:
    place = (np.arange(_SIDE) + 0.5) / _SIDE * 2 - 1
    line = np.exp(-(place**2) / (2 * _WINDOW**2))
    return np.outer(line, line)


_ROWS, _COLUMNS = _lowest_frequencies()
_WEIGHTS = _window()


def perceptual_hash(image: np.ndarray) -> str:
    """Return the hash of an aligned crop.

    The bits are the signs of the 256 lowest frequencies of the grey crop's cosine transform: light and
    contrast do not change a sign. A window fades the rim out, where background, hair and the end of the
    image are, and where a small misalignment weighs most.

    Measured on 136 photographs of 68 people, neutral and smiling, aligned to 256 pixels; bits that differ, median
    (95th percentile, largest), and the share within 22 bits:

    - JPEG of quality 30 to 95: 0 to 3 (6, 11), all;
    - a half to double the size, or a quarter: 0 to 1 (2, 4), all;
    - brightness times 0.85 to 1.15: 1 (5, 8), all; times 1.3: 8 (14, 17), all;
    - photograph at a half or a quarter of its size, as JPEG of quality 50, before alignment: 6 to 7 (12, 15), all;
    - shifted by 1, 2, 3 pixels: 10, 19, 26 (17, 32, 40; 24, 44, 58), 99, 74 and 30 %;
    - aligned by points up to 1, 2, 3 pixels elsewhere: 7, 14, 18 (13, 26, 36; 18, 35, 51), 100, 84 and 64 %;
    - **the same person, the other expression: 47, at least 28; two people: 99, at least 46 of 9,112 pairs**.

    So a radius of 22 bits takes no different picture for a copy. It misses copies that were aligned differently.
    Among 3,200 rendered faces two people are at least 41 bits apart, two pictures of one person 37. Without the
    window 76 % instead of 84 % of the 2-pixel misalignments are found at the same margin to a smile. 64 bits, and
    dHash and wavelet hashes of 256 too, put some smiles (from 0 to 9 bits) nearer than some copies that were only
    compressed or brightened (up to 22).

    Args:
        image: RGB, uint8, (S, S, 3); of any size, crops of one face in two sizes have nearly the same hash.

    Returns:
        64 hexadecimal digits (256 bits). The number of different bits grows with the difference of two pictures;
        it is about 100 for two people.
    """
    small = Image.fromarray(image).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(small, dtype=float)
    spectrum = dctn((grey - grey.mean()) * _WEIGHTS)
    return np.packbits(spectrum[_ROWS, _COLUMNS] > 0).tobytes().hex()
