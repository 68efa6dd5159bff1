"""Names of files whose bytes are not UTF-8, as old archives leave them: text in tables, the same bytes on disk."""

import unicodedata
from pathlib import Path

_FIRST = 0xF700
"""A byte b that is not UTF-8 is the private character U+F700 + b in tables."""

_TO_TEXT = {0xDC00 + byte: _FIRST + byte for byte in range(0x80, 0x100)}
_TO_BYTES = {text: surrogate for surrogate, text in _TO_TEXT.items()}


def as_text(name: str) -> str:
    """Return the name of a file as tables hold it, valid in UTF-8.

    Args:
        name: as Python gives it, with a surrogate for each byte that is not UTF-8.
    """
    return name if name.isascii() else name.translate(_TO_TEXT)


def on_disk(root: Path, relative: str) -> Path:
    """Return the place of a file that a table names."""
    as_bytes = relative if relative.isascii() else relative.translate(_TO_BYTES)
    if as_bytes != relative and not (root / relative).exists():  # a name may hold the private characters themselves
        return root / as_bytes
    return root / relative


def same_text(name: str) -> str:
    """Return a name for comparisons: each accented letter as one character, bytes that are not UTF-8 as Latin-1."""
    if name.isascii():
        return name
    plain = "".join(chr(ord(letter) - _FIRST) if ord(letter) in _TO_BYTES else letter for letter in name)
    return unicodedata.normalize("NFC", plain)
