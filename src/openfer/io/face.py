"""A face as it goes into a store: pixels and geometry, then an image file and a record; and back to pixels."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from openfer.errors import DataError

_SETTINGS: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 3},
    "jpeg": {"format": "JPEG", "quality": 95, "subsampling": "4:4:4"},
}
_JPEG = b"\xff\xd8\xff"
_MOST_PIXELS = 1 << 24
"""Sixteen times those of the largest crop; more is a damaged header, which would cost gigabytes."""

_SIZES = {"points5": 10, "points68": 136, "confidence68": 68, "transform": 6}


@dataclass
class Face:
    """One aligned crop and what is known of its geometry.

    Attributes:
        sample_id: the row's stable name.
        image: RGB, uint8, shape (H, W, 3).
        points5: eye centres, nose tip, mouth corners in crop pixels, shape (5, 2), or None.
        points68: the 68 iBUG points in crop pixels, shape (68, 2), or None.
        confidence68: one confidence in [0, 1] per point, shape (68,), or None.
        detection_score: in [0, 1]; 1 where the crop is known and not detected.
        transform: similarity from source to crop pixels, shape (2, 3), or None for the identity.
        perceptual_hash: hexadecimal digits that near-duplicates share, or None.
        encoding: "png" keeps every pixel; "jpeg" (quality 95, 4:4:4) takes a third of the room.
    """

    sample_id: str
    image: np.ndarray
    points5: np.ndarray | None = None
    points68: np.ndarray | None = None
    confidence68: np.ndarray | None = None
    detection_score: float = 1.0
    transform: np.ndarray | None = None
    perceptual_hash: str | None = None
    encoding: Literal["png", "jpeg"] = "png"


@dataclass(frozen=True)
class EncodedFace:
    """A face as a store keeps it; made in a worker process, it travels as a few kilobytes.

    Attributes:
        content: an image file, PNG or JPEG.
        record: the table's columns by name, at least sample_id, height and width; the image's hash is
            added on writing, what else is absent is stored as null.
    """

    content: bytes
    record: Mapping[str, Any]


def encode(face: Face) -> EncodedFace:
    """Encode a face's image and flatten its geometry.

    Raises:
        DataError: if the image is not RGB uint8, or points, confidences or transform have another
            number of values than they must; the message names the sample.
    """
    if face.image.dtype != np.uint8 or face.image.ndim != 3 or face.image.shape[2] != 3:
        raise DataError(
            f"face {face.sample_id} has an image of {face.image.dtype} {face.image.shape}; give RGB, uint8, (H, W, 3)"
        )
    buffer = io.BytesIO()
    Image.fromarray(face.image).save(buffer, **_SETTINGS[face.encoding])
    record = {
        "sample_id": face.sample_id,
        "height": face.image.shape[0],
        "width": face.image.shape[1],
        "detection_score": float(face.detection_score),
        "perceptual_hash": face.perceptual_hash,
    }
    geometry = {name: _flat(face, name, size) for name, size in _SIZES.items()}
    return EncodedFace(buffer.getvalue(), record | geometry)


def decode(content: bytes) -> np.ndarray:
    """Return the pixels of a stored image: RGB, uint8, (H, W, 3).

    JPEG goes to libjpeg-turbo without Pillow, which spends more time around the decoder than in it where faces are
    small. It is the same decoder with the same settings, so the pixels are the same.

    Raises:
        DataError: if the image is empty, damaged, or neither PNG nor JPEG; the message is the size and the reason.
    """
    try:
        if content.startswith(_JPEG):
            height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
            _check_size(width, height)
            if colours != "CMYK":  # its inks are turned into RGB by Pillow alone
                return simplejpeg.decode_jpeg(content)
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            _check_size(*image.size)
            return np.array(image if image.mode == "RGB" else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
        raise DataError(f"{len(content)} bytes, {reason}") from error


def _check_size(width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise ValueError(f"its header claims {width} x {height} pixels")


def _flat(face: Face, name: str, size: int) -> np.ndarray | None:
    array: np.ndarray | None = getattr(face, name)
    if array is None:
        return None
    if array.size != size:
        raise DataError(f"face {face.sample_id} has {name} of shape {array.shape}; {size} numbers are needed, or None")
    return array.astype(np.float32).ravel()
