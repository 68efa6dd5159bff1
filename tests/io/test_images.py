"""Every kind of damage is made here; each file gives right pixels or one error with a short reason."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from openfer.errors import DataError
from openfer.io.images import ImageLimits, UnreadableImageError, read_image

FORMATS = ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM"]


@pytest.fixture(autouse=True)
def _nothing_is_said_or_left_open(capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder):
    before = open_files()
    yield
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert open_files() == before


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def picture(height: int = 37, width: int = 53) -> np.ndarray:
    """Smooth colours that no turn or flip maps onto themselves."""
    y, x = np.mgrid[:height, :width]
    return np.stack([255 * x / width, 255 * y / height, 128 + 100 * np.sin(x / 9 + y / 5)], -1).astype(np.uint8)


def encoded(image: Image.Image | np.ndarray, name: str, **settings) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format=name, **settings)
    return buffer.getvalue()


def reads_or_says_why(content: bytes) -> str | None:
    """Return the reason of the one error; None for an image."""
    try:
        pixels = read_image(content, ImageLimits(megapixels=1)).pixels
    except UnreadableImageError as error:
        reason = str(error)
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        return None
    assert 0 < len(reason) < 120
    assert "\n" not in reason
    assert "0x" not in reason
    return reason


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, depth: int, colour: int, data: bytes, *before: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + body


def tiff(*entries: tuple[int, int, int, int], tail: bytes = b"", next_directory: int = 0) -> bytes:
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", next_directory) + tail


def webp_canvas(width: int, height: int) -> bytes:
    body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + body + b"VP8 " + struct.pack("<I", 0)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_read_from_a_file_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "photo.xyz"
    path.write_bytes(encoded(picture(), name))
    source = read_image(path)
    with Image.open(path) as image:
        assert np.array_equal(source.pixels, np.array(image.convert("RGB")))
    assert source.pixels.flags.writeable
    assert source.scale == (1, 1)
    assert source.oddities == (("palette",) if name == "GIF" else ())


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_anywhere_is_read_or_called_truncated(name: str) -> None:
    whole = encoded(picture(), name)
    reasons = [reads_or_says_why(whole[:length]) for length in np.linspace(0, len(whole) - 1, 40).astype(int)]
    assert reasons[0] == "zero bytes"
    assert reasons[20] == f"truncated {name}"


@pytest.mark.parametrize("name", FORMATS)
def test_flipped_bits_are_read_or_reported(name: str) -> None:
    whole = encoded(picture(), name)
    draw = np.random.default_rng(FORMATS.index(name))
    for turn in range(80):
        damaged = bytearray(whole)
        reach = len(whole) if turn % 2 else min(len(whole), 200)  # every second one hits the header
        for place in draw.integers(reach, size=1 + turn % 4):
            damaged[place] ^= 1 << draw.integers(8)
        reads_or_says_why(bytes(damaged))


@pytest.mark.parametrize("name", FORMATS)
def test_noise_behind_a_right_beginning_is_read_or_reported(name: str) -> None:
    whole = encoded(picture(), name)
    draw = np.random.default_rng(7)
    for length in (12, 30, 60, 200):
        reads_or_says_why(whole[:length] + draw.bytes(3000))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero bytes"),
        (b"<!DOCTYPE html><title>404</title>", 'not an image (starts with "<!DOCTYPE ht")'),
        (b"\0\0\0\x18ftypheic", "HEIC, which is not read: save it as JPEG"),
        (b"\0\0\0\x18ftypmp42", "not an image (starts with 00 00 00 18 66 74 79 70 6d 70 34 32)"),
        (b"\0\0\0\x1cftypavif", "AVIF, which is not read: save it as JPEG"),
        (b"\xff\xd8", "not an image (starts with ff d8)"),
        (b"RIFF\0\0\0\0WAVEfmt ", "not an image (starts with 52 49 46 46 00 00 00 00 57 41 56 45)"),
        (b"%PDF-1.7", 'not an image (starts with "%PDF-1.7")'),
        (bytes(100), "not an image (starts with 00 00 00 00 00 00 00 00 00 00 00 00)"),
    ],
)
def test_what_is_no_image_is_described(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "face.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert str(caught.value) == reason


def test_other_formats_are_refused() -> None:
    for name in ("ICO", "TGA", "PCX", "PDF", "EPS"):
        assert (reads_or_says_why(encoded(picture(), name)) or "").startswith("not an image")
    assert (reads_or_says_why(encoded(picture(), "JPEG2000")) or "").startswith("JPEG 2000, which is not read")


def test_a_missing_file_a_folder_and_a_pipe_are_reported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in ((tmp_path / "none.jpg", "No such file"), (tmp_path, "not a"), (tmp_path / "pipe", "not a")):
        with pytest.raises(UnreadableImageError, match=reason):
            read_image(path)


def bombs() -> dict[str, bytes]:
    jpeg = bytearray(encoded(picture(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    gif = bytearray(encoded(picture(), "GIF"))
    gif[6:10] = struct.pack("<HH", 60_000, 60_000)
    bmp = bytearray(encoded(picture(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    sized = ((256, 4, 1, 60_000), (257, 4, 1, 60_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
    return {
        "PNG": png(60_000, 60_000, 8, 2, b""),
        "JPEG": bytes(jpeg),
        "GIF": bytes(gif),
        "BMP": bytes(bmp),
        "TIFF": tiff(*sized, (273, 4, 1, 8), (278, 4, 1, 60_000), (279, 4, 1, 10)),
    }


@pytest.mark.parametrize("name", bombs())
def test_a_header_that_claims_too_many_pixels_is_refused_before_decoding(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(image: ImageFile.ImageFile) -> None:
        pytest.fail("pixels were decoded")

    for kind in (ImageFile.ImageFile, *ImageFile.ImageFile.__subclasses__()):
        monkeypatch.setattr(kind, "load", decode)
    with pytest.raises(UnreadableImageError, match=r"^3600 megapixels, the limit is 64$"):
        read_image(bombs()[name])


def test_the_largest_webp_is_refused_too() -> None:
    assert reads_or_says_why(webp_canvas(16_383, 16_383)) == "268 megapixels, the limit is 1"


def test_a_tile_that_claims_more_than_its_image_is_refused() -> None:
    small = ((256, 4, 1, 10), (257, 4, 1, 10), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1))
    tiles = ((322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 8), (325, 4, 1, 10))
    assert reads_or_says_why(tiff(*small, *tiles)) == "3600 megapixels, the limit is 1"


def test_the_limits_are_parameters(tmp_path: Path) -> None:
    content = encoded(picture(100, 200), "PNG")
    assert read_image(content, ImageLimits(megapixels=0.02)).pixels.shape == (100, 200, 3)
    with pytest.raises(UnreadableImageError, match=r"0 megapixels, the limit is 0\.019"):
        read_image(content, ImageLimits(megapixels=0.019))
    path = tmp_path / "big.png"
    path.write_bytes(content + bytes(2_000_000))
    with pytest.raises(UnreadableImageError, match="2 megabytes, the limit is 1"):
        read_image(path, ImageLimits(megabytes=1))


def test_compressed_text_that_swells_is_harmless() -> None:
    swelling = chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(50_000_000)))
    reads_or_says_why(png(4, 4, 8, 2, (b"\0" + bytes(12)) * 4, swelling))


@pytest.mark.parametrize("count", [2**16, 2**28, 2**32 - 1])
@pytest.mark.parametrize("kind", [1, 2, 3, 5, 7, 12, 99])
def test_tags_of_absurd_length_are_harmless(count: int, kind: int) -> None:
    strips = ((273, 4, 1, 200), (278, 4, 1, 4), (279, 4, 1, 16))
    sized = ((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
    for tag in (270, 274, 700, 34665, 34675):
        reads_or_says_why(tiff(*sized, *strips, (tag, kind, count, 100), tail=bytes(200)))
    reads_or_says_why(tiff(*sized, (273, kind, count, 100), *strips[1:], tail=bytes(200)))


def test_a_program_without_logging_prints_nothing_about_damage(tmp_path: Path) -> None:
    sized = ((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2))
    path = tmp_path / "samples.tif"
    path.write_bytes(tiff(*sized, (273, 4, 1, 100), (277, 3, 1, 8195), (278, 4, 1, 4), (279, 4, 1, 16)))
    script = f"""
from pathlib import Path
from openfer.io.images import UnreadableImageError, read_image
try:
    read_image(Path({str(path)!r}))
except UnreadableImageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("damaged TIFF (Invalid value for samples per pixel)\n", "")


def test_a_directory_that_follows_itself_ends() -> None:
    sized = ((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
    content = tiff(*sized, (273, 4, 1, 150), (278, 4, 1, 4), (279, 4, 1, 16), tail=bytes(200), next_directory=8)
    reads_or_says_why(content)


@pytest.mark.parametrize("name", FORMATS)
def test_one_pixel_is_an_image(name: str) -> None:
    assert read_image(encoded(np.full((1, 1, 3), 200, np.uint8), name)).pixels.shape == (1, 1, 3)


def test_a_strip_of_20000_pixels_is_an_image_and_shrinks() -> None:
    content = encoded(picture(3, 20_000), "PNG")
    assert np.array_equal(read_image(content).pixels, picture(3, 20_000))
    shrunk = read_image(content, max_side=100)
    assert shrunk.pixels.shape == (1, 100, 3)
    assert shrunk.scale == (0.005, 1 / 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_every_orientation_is_turned_upright(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    content = encoded(picture(), name, exif=exif, **({"lossless": True} if name == "WEBP" else {}))
    source = read_image(content)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert np.array_equal(source.pixels, np.array(expected))
    assert source.oddities == ((f"EXIF orientation {orientation}",) if orientation > 1 else ())


def test_orientation_6_has_its_first_row_at_the_right() -> None:
    exif = Image.Exif()
    exif[274] = 6
    assert np.array_equal(read_image(encoded(picture(), "PNG", exif=exif)).pixels, np.rot90(picture(), -1))


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0" + b"\xff" * 20, b"\0"])
def test_damaged_exif_does_not_cost_the_image(exif: bytes) -> None:
    assert read_image(encoded(picture(), "JPEG", exif=exif)).pixels.shape == (37, 53, 3)


@pytest.mark.parametrize("orientation", [0, 9, 1000])
def test_an_orientation_that_does_not_exist_is_none(orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    assert np.array_equal(read_image(encoded(picture(), "PNG", exif=exif)).pixels, picture())


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(name: str) -> None:
    """Photoshop and Pillow write inverted CMYK with Adobe's marker into a JPEG."""
    smooth = Image.fromarray(picture(64, 64))
    settings = {"quality": 98, "subsampling": 0} if name == "JPEG" else {}
    source = read_image(encoded(smooth.convert("CMYK"), name, **settings))
    assert source.oddities == ("CMYK",)
    assert np.abs(source.pixels.astype(int) - picture(64, 64)).mean() < 2


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65535, 40 * 50).reshape(40, 50).astype(np.uint16)
    for name in ("PNG", "TIFF"):
        source = read_image(encoded(Image.fromarray(values), name))
        assert source.oddities == ("16-bit grey",)
        assert np.array_equal(source.pixels, np.repeat(np.round(values / 257).astype(np.uint8)[..., None], 3, 2))


def test_12_bit_grey_reaches_white() -> None:
    packed = bytes([0xFF, 0xF0, 0x00]) * 8  # 4095 and 0, in turns
    sized = ((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1))
    content = tiff(*sized, (273, 4, 1, 110), (278, 4, 1, 4), (279, 4, 1, 24))
    pixels = read_image(content.ljust(110, b"\0") + packed).pixels
    assert np.array_equal(pixels[..., 0], np.tile([255, 0], (4, 2)))


def test_16_bit_rgb_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65535, 8 * 9 * 3).reshape(8, 9, 3).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    pixels = read_image(png(9, 8, 16, 2, rows)).pixels
    assert np.abs(pixels - values / 257).max() < 1


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_known_white_are_refused(mode: str) -> None:
    content = encoded(Image.new(mode, (8, 8)), "TIFF")
    assert reads_or_says_why(content) == f"32-bit pixels (mode {mode}), whose white is unknown"


def test_grey_1_bit_and_palette_become_rgb() -> None:
    grey = Image.fromarray(picture()).convert("L")
    for image, oddity in ((grey, "grey"), (grey.convert("1"), "1-bit"), (grey.convert("P"), "palette")):
        source = read_image(encoded(image, "PNG"))
        assert source.oddities == (oddity,)
        assert np.array_equal(source.pixels, np.array(image.convert("RGB")))


@pytest.mark.parametrize("name", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_is_white(name: str) -> None:
    pixels = np.dstack([picture(600, 40), np.full((600, 40), 255, np.uint8)])
    settings = {"lossless": True, "exact": True} if name == "WEBP" else {}
    opaque = read_image(encoded(pixels, name, **settings))
    assert np.array_equal(opaque.pixels, pixels[..., :3])
    assert opaque.oddities == ()
    pixels[500:, :20, 3] = 0
    holed = read_image(encoded(pixels, name, **settings))
    assert holed.oddities == ("transparent pixels, laid on white",)
    assert (holed.pixels[500:, :20] == 255).all()
    assert np.array_equal(holed.pixels[:500], pixels[:500, :, :3])
    assert np.array_equal(holed.pixels[500:, 20:], pixels[500:, 20:, :3])


def test_transparency_of_palettes_and_grey_is_seen() -> None:
    palette = Image.fromarray((np.arange(16).reshape(4, 4) % 4).astype(np.uint8)).convert("P")
    grey = Image.fromarray(np.array([[0, 255], [128, 255]], np.uint8))
    half = Image.merge("LA", (grey, Image.fromarray(np.full((2, 2), 128, np.uint8))))
    assert (read_image(encoded(palette, "GIF", transparency=2)).pixels[:, 2] == 255).all()
    assert (read_image(encoded(palette, "PNG", transparency=2)).pixels[:, 2] == 255).all()
    assert (read_image(encoded(grey, "PNG", transparency=0)).pixels[0, 0] == 255).all()
    assert read_image(encoded(half, "PNG")).pixels[0, 0].tolist() == [127] * 3


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_of_several_frames_the_first_is_read(name: str) -> None:
    frames = [Image.fromarray(np.full((16, 16, 3), value, np.uint8)) for value in (10, 120, 250)]
    source = read_image(encoded(frames[0], name, save_all=True, append_images=frames[1:]))
    assert np.abs(source.pixels.astype(int) - 10).max() <= 2
    # the further pictures of an MPO lie behind the end of a JPEG
    assert ("first of several frames" in source.oddities) == (name != "MPO")
