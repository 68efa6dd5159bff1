"""What kind of picture a file is, by its first bytes; its name does not count."""

from typing import Literal

HEAD = 32
"""Bytes that decide."""

IMAGES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"),
    *(".pbm", ".pgm", ".ppm", ".pnm"),
)
"""How the names of pictures usually end, in lower case."""

Readable = Literal["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]
"""Kinds that :func:`openfer.io.images.read_image` decodes; PPM is PBM, PGM and PPM."""

_READABLE: tuple[tuple[Readable, tuple[bytes, ...]], ...] = (
    ("JPEG", (b"\xff\xd8\xff",)),
    ("PNG", (b"\x89PNG\r\n\x1a\n",)),
    ("GIF", (b"GIF87a", b"GIF89a")),
    ("BMP", (b"BM",)),
    ("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("WEBP", (b"RIFF",)),
    ("PPM", tuple(b"P%d%c" % (digit, end) for digit in range(1, 7) for end in b" \t\r\n#")),
)

_OTHERS: tuple[tuple[str, int, tuple[bytes, ...]], ...] = (
    ("AVIF", 4, (b"ftypavif", b"ftypavis")),
    ("HEIC", 4, tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"))),
    ("JPEG XL", 0, (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    ("JPEG 2000", 0, (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")),
    ("Photoshop", 0, (b"8BPS",)),
    ("OpenEXR", 0, (b"v/1\x01",)),
)
"""Name, place of the signature, signatures."""


def readable_kind(head: bytes) -> Readable | None:
    """Return the kind of a picture that can be decoded; None for any other content."""
    for name, signatures in _READABLE:
        if head.startswith(signatures) and (name != "WEBP" or head[8:12] == b"WEBP"):
            return name
    return None


def other_kind(head: bytes) -> str | None:
    """Return the name of a kind of picture that is known and not decoded, such as HEIC; None for any other content."""
    for name, place, signatures in _OTHERS:
        if head[place:].startswith(signatures):
            return name
    return None
