"""Reading image files that nobody has vetted: pixels as people see them, or one error with a short reason.

Only the formats below are decoded, each known by its first bytes, never by its name. A file lies in
memory while it is read, so none stays open; the number of pixels is checked in the header, before any
is decoded. Colour profiles are ignored.
"""

import io
import logging
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from openfer.errors import DataError
from openfer.io.image_kinds import HEAD, Readable, other_kind, readable_kind

# A program without logging would print what Pillow logs about damaged files; each is one error here.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_OPENERS: Mapping[Readable, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "WEBP": WebPImageFile,
    "PPM": PpmImageFile,
}

_DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises over damaged files; it promises no smaller family."""

_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels[::-1].transpose(1, 0, 2),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: pixels[:, ::-1].transpose(1, 0, 2),
}
"""EXIF orientation to what makes the image upright."""

_ODD_MODES = {
    "1": "1-bit",
    "L": "grey",
    "LA": "grey",
    "P": "palette",
    "PA": "palette",
    "CMYK": "CMYK",
    "LAB": "LAB",
    "I;16": "16-bit grey",
    "I;16B": "16-bit grey",
    "I;16L": "16-bit grey",
    "I": "16-bit grey",
}

_STRIP = 256
"""Rows that are converted at once."""


class UnreadableImageError(DataError):
    """An image file cannot be read; the message is a short reason, fit for a quarantine table."""


@dataclass(frozen=True)
class ImageLimits:
    """How much of a computer one image may take; the defaults keep reading below 1 GB of memory.

    Attributes:
        megapixels: width x height that a header may claim, in millions.
        megabytes: size of the file, in millions of bytes.
    """

    megapixels: float = 64
    megabytes: float = 400


@dataclass(frozen=True)
class SourceImage:
    """An image as people see it, and what was done to get it.

    Attributes:
        pixels: RGB, uint8, shape (H, W, 3), upright, writable.
        scale: (x, y); the upright original's coordinates times these are those in ``pixels``, counted
            from the image's corner: x' = x * scale[0], with pixel centres at halves.
        oddities: what was not plain 8-bit RGB, such as "EXIF orientation 6" or "first of several frames".
    """

    pixels: np.ndarray
    scale: tuple[float, float]
    oddities: tuple[str, ...]


_DEFAULT_LIMITS = ImageLimits()


def read_image(source: Path | bytes, limits: ImageLimits = _DEFAULT_LIMITS, max_side: int | None = None) -> SourceImage:
    """Read an image file of any origin: JPEG, PNG, BMP, WEBP, TIFF, GIF, PBM, PGM or PPM.

    EXIF orientation is applied. Transparent pixels are laid on white. 16 bits are scaled to 8. Of several
    frames the first is read.

    Args:
        source: a file, or what is in it.
        limits: what is refused before it is decoded.
        max_side: shrink the image so that no side is longer, in pixels; a large JPEG is decoded at a
            fraction of its size. None keeps every pixel.

    Raises:
        UnreadableImageError: if there is no such file, it is too large, not an image, truncated or damaged.
    """
    content = source if isinstance(source, bytes) else _content(source, limits)
    name, opener = _format_of(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decoded = _decode(opener, content, limits, max_side)
        except Image.DecompressionBombError as error:
            raise _too_many(int(re.findall(r"(\d+) pixels", str(error))[0]), limits) from error
        except _DECODER_ERRORS as error:
            raise UnreadableImageError(_reason(name, content, error)) from error
    return _finish(decoded, max_side)


def _content(path: Path, limits: ImageLimits) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
            raise UnreadableImageError("not a regular file")
        if found.st_size > limits.megabytes * 1e6:
            size = f"{found.st_size / 1e6:.0f} megabytes"
            raise UnreadableImageError(f"{size}, the limit is {limits.megabytes:g}")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"cannot be read: {error.strerror or error}") from error


def _format_of(content: bytes) -> tuple[str, type[ImageFile.ImageFile]]:
    if not content:
        raise UnreadableImageError("zero bytes")
    name = readable_kind(content[:HEAD])
    if name is not None:
        return name, _OPENERS[name]
    known = other_kind(content[:HEAD])
    if known is not None:
        raise UnreadableImageError(f"{known}, which is not read: save it as JPEG")
    head = content[:12]
    shown = f'"{head.decode()}"' if head.isascii() and head.decode().isprintable() else head.hex(" ")
    raise UnreadableImageError(f"not an image (starts with {shown})")


def _check_size(image: ImageFile.ImageFile, limits: ImageLimits) -> None:
    pixels = image.width * image.height
    if isinstance(image, TiffImageFile):  # a tile may claim more than the image
        pixels = max(pixels, image.tag_v2.get(322, 0) * image.tag_v2.get(323, 0))
    if pixels > limits.megapixels * 1e6:
        raise _too_many(pixels, limits)


def _too_many(pixels: int, limits: ImageLimits) -> UnreadableImageError:
    return UnreadableImageError(f"{pixels / 1e6:.0f} megapixels, the limit is {limits.megapixels:g}")


def _reason(name: str, content: bytes, error: BaseException) -> str:
    said = " ".join(str(error).split())[:80]
    is_cut = isinstance(error, EOFError) or re.search(r"truncated|not enough|requires a buffer", said, re.IGNORECASE)
    if is_cut or (name == "WEBP" and len(content) < 8 + int.from_bytes(content[4:8], "little")):
        return f"truncated {name}"
    if isinstance(error, KeyError):
        said = f"unknown value {said}"
    return f"damaged {name} ({said or type(error).__name__})"


@dataclass(frozen=True)
class _Decoded:
    """Pixels as the file holds them, at a fraction (1, 2, 4 or 8) of (width, height)."""

    pixels: np.ndarray
    width: int
    height: int
    fraction: int
    orientation: int
    oddities: tuple[str, ...]


def _decode(opener: type[ImageFile.ImageFile], content: bytes, limits: ImageLimits, max_side: int | None) -> _Decoded:
    with opener(io.BytesIO(content)) as image:
        _check_size(image, limits)
        width, height = image.size
        fraction = _draft(image, max_side)
        orientation = _orientation(image)
        if fraction == 1 and isinstance(image, JpegImageFile) and image.mode == "RGB":
            plain = _jpeg_pixels(content)
            if plain is not None:
                turned = (f"EXIF orientation {orientation}",) if orientation in _TURNS else ()
                return _Decoded(plain, width, height, fraction, orientation, turned)
        image.load()
        odd = [f"EXIF orientation {orientation}"] if orientation in _TURNS else []
        if isinstance(image, TiffImageFile):  # Pillow turns it as it decodes
            width, height = image.size
            orientation = 1
        if getattr(image, "is_animated", False):
            odd.append("first of several frames")
        if image.mode in _ODD_MODES:
            odd.append(_ODD_MODES[image.mode])
        pixels, is_transparent = _rgb(image)
        if is_transparent:
            odd.append("transparent pixels, laid on white")
        return _Decoded(pixels, width, height, fraction, orientation, tuple(odd))


def _jpeg_pixels(content: bytes) -> np.ndarray | None:
    """Return the pixels of an RGB or YCbCr JPEG, uint8, (H, W, 3), by Pillow's decoder without Pillow's copies.

    None where the decoder warns: Pillow then says whether that is damage.
    """
    try:
        return simplejpeg.decode_jpeg(content)
    except ValueError:
        return None


def _finish(decoded: _Decoded, max_side: int | None) -> SourceImage:
    """Shrink, then turn upright."""
    pixels, width, height = decoded.pixels, decoded.width, decoded.height
    shrink = min(1.0, max_side / max(width, height)) if max_side else 1.0
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    if size != (width, height):
        # a fraction's last pixels may reach beyond the image: the box does not
        box = (0, 0, width / decoded.fraction, height / decoded.fraction)
        pixels = np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, box=box))
    scale = (size[0] / width, size[1] / height)
    if decoded.orientation in _TURNS:
        pixels = np.ascontiguousarray(_TURNS[decoded.orientation](pixels))
        scale = scale if decoded.orientation < 5 else scale[::-1]
    return SourceImage(pixels, scale, decoded.oddities)


def _draft(image: ImageFile.ImageFile, max_side: int | None) -> int:
    """Let a large JPEG be decoded at a half, a quarter or an eighth; returns 2, 4 or 8, else 1."""
    if max_side is None or not isinstance(image, JpegImageFile):
        return 1
    width, height = image.size
    # at least twice the size asked for: the resampling that follows decides how it looks
    wanted = 2 * max_side / max(width, height)
    drafted = image.draft(None, (max(1, round(width * wanted)), max(1, round(height * wanted))))
    return round(width / drafted[1][2]) if drafted else 1


def _orientation(image: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation; 1 where there is none, or where the EXIF data is damaged."""
    if isinstance(image, PngImageFile):
        image.load()  # it may come after the pixels
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DECODER_ERRORS:
        return 1
    return found if isinstance(found, int) else 1


def _rgb(image: ImageFile.ImageFile) -> tuple[np.ndarray, bool]:
    """Return 8-bit RGB, and whether pixels were transparent; strip by strip, to hold nothing twice."""
    wide = isinstance(image, PpmImageFile) and image.mode == "I"  # 16 bits: Pillow scales any white to 65,535
    if image.mode in ("I", "F") and not wide:
        raise UnreadableImageError(f"32-bit pixels (mode {image.mode}), whose white is unknown")
    bits = image.tag_v2.get(258, (16,))[0] if isinstance(image, TiffImageFile) else 16
    is_transparent = False
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        if image.mode.startswith("I;16") or wide:
            strip = Image.fromarray(_to_8_bits(np.asarray(strip), bits))
        elif image.has_transparency_data:
            strip = strip.convert("RGBA")
            if strip.getchannel("A").getextrema() != (255, 255):
                is_transparent = True
                strip = Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip)
        pixels[top : top + _STRIP] = np.asarray(strip.convert("RGB"))
    return pixels, is_transparent


def _to_8_bits(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Scale unsigned integers of ``bits`` bits to uint8, rounding to the nearest."""
    white = 2**bits - 1
    table = np.minimum((np.arange(2**16) * 255 + white // 2) // white, 255).astype(np.uint8)
    return table[pixels]
