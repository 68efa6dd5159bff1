"""Inputs that nobody has vetted: images, videos and tables in every kind of good and bad shape, drawn by seed."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import pandas as pd
from PIL import Image

SIDE = 64
"""Of the crops; sound pictures are as high, so that a crop is the picture's middle, pixel by pixel."""

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF")
BROKEN = r"truncated|damaged|zero bytes|not an image|megapixels|fewer than|32-bit"


@dataclass(frozen=True)
class Input:
    """One row: where it is, and what must become of it.

    Attributes:
        kind: of shape or damage.
        path: relative to the root.
        frame: of a video or table.
        pixels: the crop that a sound one gives, (SIDE, SIDE, 3), or None.
        loss: how far its pixels may be off, on average.
        reason: what the reason for its absence looks like; with neither, it may be read or have any reason.
    """

    kind: str
    path: str
    frame: int | None = None
    pixels: np.ndarray | None = None
    loss: float = 0.0
    reason: str = ""


Maker = Callable[[np.random.Generator, Path, str], list[Input]]


def picture(draw: np.random.Generator, width: int = SIDE) -> np.ndarray:
    """Return smooth colours, unlike all others, (SIDE, width, 3)."""
    coarse = draw.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, SIDE), Image.Resampling.BICUBIC))


def middle(pixels: np.ndarray) -> np.ndarray:
    left = (pixels.shape[1] - SIDE) // 2
    return pixels[:, left : left + SIDE]


def encoded(pixels: np.ndarray | Image.Image, name: str, **save: object) -> bytes:
    buffer = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(buffer, name, **save)
    return buffer.getvalue()


def sound(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    name = ("PNG", "BMP", "TIFF", "JPEG", "WEBP")[draw.integers(5)]
    pixels = picture(draw, SIDE + 2 * int(draw.integers(30)))
    save = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(name, {})
    path = _write(root, f"{stem}.jpg", encoded(pixels, name, **save))
    return [Input("sound", path, pixels=middle(pixels), loss=3 if name == "JPEG" else 0)]


def wide(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    pixels = picture(draw, 20_000)
    path = _write(root, f"{stem}.png", encoded(pixels, "PNG", compress_level=1))
    return [Input("wide", path, pixels=middle(pixels))]


def cmyk(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    pixels = picture(draw)
    path = _write(root, f"{stem}.jpg", encoded(Image.fromarray(pixels).convert("CMYK"), "JPEG", quality=98))
    return [Input("CMYK", path, pixels=pixels, loss=4)]


def sixteen_bits(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    grey = picture(draw)[..., 0]
    path = _write(root, f"{stem}.png", encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"))
    return [Input("16-bit", path, pixels=np.repeat(grey[..., None], 3, axis=2))]


def turned(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """A camera that lay on its side: the file's pixels turned so that the orientation undoes it."""
    pixels, orientation = picture(draw), int(draw.integers(1, 9))
    undone = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, 1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undone))
    path = _write(root, f"{stem}.jpg", encoded(stored, "JPEG", quality=95, subsampling=0, exif=exif))
    return [Input("EXIF-rotated", path, pixels=pixels, loss=3)]


def animated(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    frames = [Image.fromarray(picture(draw)) for _ in range(3)]
    name = ("GIF", "WEBP", "PNG")[draw.integers(3)]
    if name == "GIF":
        frames = [frame.quantize(64) for frame in frames]
    first = np.asarray(frames[0].convert("RGB"))
    save = {"save_all": True, "append_images": frames[1:], "duration": 50} | (
        {"lossless": True} if name == "WEBP" else {}
    )
    return [Input("animated", _write(root, f"{stem}.gif", encoded(frames[0], name, **save)), pixels=first)]


def truncated(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    name = FORMATS[draw.integers(6)]
    whole = encoded(picture(draw), name)
    cut = whole[: int(len(whole) * draw.uniform(0.02, 0.9))]
    return [Input("truncated", _write(root, f"{stem}.jpg", cut), reason=BROKEN)]


def flipped(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """Turned bits may be harmless, so that the image is read, or make it anything."""
    damaged = bytearray(encoded(picture(draw), FORMATS[draw.integers(6)]))
    for place in draw.integers(len(damaged), size=int(draw.integers(1, 6))):
        damaged[place] ^= 1 << int(draw.integers(8))
    return [Input("flipped bits", _write(root, f"{stem}.jpg", bytes(damaged)))]


def empty(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    return [Input("zero-byte", _write(root, f"{stem}.jpg", b""), reason="^zero bytes$")]


def one_pixel(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    content = encoded(np.zeros((1, 1, 3), np.uint8), FORMATS[draw.integers(6)])
    return [Input("1x1", _write(root, f"{stem}.jpg", content), reason="^1x1 pixels, fewer than 16 on a side$")]


def text(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    content = (b"<!DOCTYPE html>404", b"version https://git-lfs.github.com/spec/v1", b"PK\3\4", draw.bytes(500))
    path = _write(root, f"{stem}.jpg", content[draw.integers(4)])
    return [Input("text", path, reason="^not an image")]


def header_bomb(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """A few bytes that claim billions of pixels, or a text chunk that swells a thousandfold."""
    size = struct.pack(">II", 60_000, 60_000)
    if draw.integers(8):
        content, reason = _png(size, 8, 2, b""), "^3600 megapixels, the limit is 100$"
    else:
        content, reason = _png(struct.pack(">II", SIDE, SIDE), 8, 2, b"", _swollen_text()), "^damaged PNG"
    return [Input("header bomb", _write(root, f"{stem}.png", content), reason=reason)]


def real_bomb(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """A hundred kilobytes that really hold 99 megapixels, just below the limit, and 400, beyond it."""
    below, beyond = (_write(root, f"{stem}_{side}.png", _black(side)) for side in (9_944, 20_000))
    return [
        Input("real bomb", below, pixels=np.zeros((SIDE, SIDE, 3), np.uint8)),
        Input("real bomb", beyond, reason="^400 megapixels, the limit is 100$"),
    ]


def missing(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    name = (f"{stem}.jpg", f"none/{stem}.avi", f"{stem}.csv")[draw.integers(3)]
    return [Input("missing", name, reason="^the file is missing$")]


def no_file(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """A folder, a pipe, a link to itself, a name that is too long or impossible."""
    suffix = (".jpg", ".avi", ".csv")[draw.integers(3)]
    path, kind = root / f"{stem}{suffix}", draw.integers(5)
    if kind == 0:
        path.mkdir(parents=True)
    elif kind == 1:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
    elif kind == 2:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(path.name)
        return [Input("no file", f"{stem}{suffix}", reason="^cannot be read: Too many levels")]
    elif kind == 3:
        return [Input("no file", f"{stem}{'x' * 300}{suffix}", reason="^cannot be read: File name too long")]
    else:
        return [Input("no file", f"{stem}\0{suffix}", reason="^cannot be read: (stat: )?embedded null")]
    return [Input("no file", f"{stem}{suffix}", reason="^not a regular file$")]


def forbidden(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """Nothing is forbidden to root, who then reads it."""
    pixels = picture(draw)
    path = _write(root, f"{stem}.png", encoded(pixels, "PNG"))
    (root / path).chmod(0)
    if os.geteuid() == 0:
        return [Input("forbidden", path, pixels=pixels)]
    return [Input("forbidden", path, reason="^cannot be read: Permission denied$")]


def video(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """Frame n has the grey value 16 n; the last one asked for is not there."""
    path = _write(root, f"{stem}.avi", _video())
    frames = sorted(int(n) for n in draw.choice(9, 3, replace=False))
    grey = [np.full((SIDE, SIDE, 3), 16 * n, np.uint8) for n in frames]
    rows = [Input("video", path, n, pixels, loss=4) for n, pixels in zip(frames, grey, strict=True)]
    return [*rows, Input("video", path, 99, reason="^the file ends after 9 frames, frame 99 was asked for")]


def damaged_video(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    content = bytearray(_video())
    if draw.integers(2):
        content = content[: int(len(content) * draw.uniform(0, 0.9))]
    else:
        for place in draw.integers(len(content), size=30):
            content[place] = int(draw.integers(256))
    path = _write(root, f"{stem}.avi", bytes(content))
    return [Input("damaged video", path, n) for n in (0, 4, 8)]


def table(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    """FER2013's table with damaged lines; a row of 48 pixels is enlarged to the crop."""
    whole = " ".join(["128"] * 48**2)
    lines = [whole, whole[:-9], whole.replace("128", "300"), whole.replace("128", "a1", 1), "", "9" * 200_000]
    content = "emotion,pixels,Usage\n" + "".join(f'0,"{line}",Training\n' for line in lines)
    path = _write(root, f"{stem}.csv", content.encode())
    reasons = ["", "2302|2303 pixels", "300 instead of 0 to 255", "cannot be read", "has 0 pixels", "cannot be read"]
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    rows = [Input("table", path, n, grey if n == 0 else None, 0, reason) for n, reason in enumerate(reasons)]
    return [*rows, Input("table", path, 6, reason="^the file has no row 6; it has 6 rows$")]


def damaged_table(draw: np.random.Generator, root: Path, stem: str) -> list[Input]:
    content = (b"", b"\n\n", b"emotion,Usage\n0,Training\n", draw.bytes(2000), b'"' + bytes(200_000))[draw.integers(5)]
    path = _write(root, f"{stem}.csv", content)
    return [Input("damaged table", path, n, reason="empty|has the columns|no row|cannot be read") for n in range(2)]


_MAKERS: dict[Maker, float] = {
    sound: 12,
    wide: 1,
    cmyk: 4,
    sixteen_bits: 4,
    turned: 8,
    animated: 6,
    truncated: 14,
    flipped: 20,
    empty: 4,
    one_pixel: 4,
    text: 5,
    header_bomb: 4,
    real_bomb: 0,  # takes a second to read: only once, where every maker is called once
    missing: 4,
    no_file: 5,
    forbidden: 2,
    video: 1,
    damaged_video: 5,
    table: 1,
    damaged_table: 2,
}


def damaged_inputs(root: Path, count: int, seed: int) -> list[Input]:
    """Write inputs of all kinds, in the order of their paths.

    Args:
        root: an empty folder.
        count: rows.
        seed: of all that is drawn.
    """
    draw = np.random.default_rng(seed)
    makers = [*_MAKERS, *draw.choice(list(_MAKERS), count, p=np.array([*_MAKERS.values()]) / sum(_MAKERS.values()))]
    inputs: list[Input] = []
    for number, make in enumerate(makers):
        inputs += make(draw, root, f"{number // 100:02d}/{number:04d}")
        if len(inputs) >= count:
            break
    return sorted(inputs[:count], key=lambda one: (one.path, one.frame or 0))


def sources_of(inputs: list[Input]) -> pd.DataFrame:
    """Return the rows that alignment is asked for."""
    frames = pd.array([one.frame for one in inputs], "Int64")
    paths = [one.path for one in inputs]
    names = [f"{number:04d}" for number in range(len(inputs))]
    return pd.DataFrame({"sample_id": names, "path": paths, "frame": frames, "landmarks": None, "box": None})


def _write(root: Path, name: str, content: bytes) -> str:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)
    return name


def _png(size: bytes, depth: int, colour: int, rows: bytes, before: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", size + bytes((depth, colour, 0, 0, 0)))
    body = _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + before + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@cache
def _swollen_text() -> bytes:
    return _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70_000_000), 1))


@cache
def _black(side: int) -> bytes:
    return _png(struct.pack(">II", side, side), 1, 0, (b"\0" + bytes(side // 8)) * side)


@cache
def _video() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for number in range(9):
            grey = np.full((SIDE, SIDE, 3), 16 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()
