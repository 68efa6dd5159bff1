"""Videos that the test writes: frames by number, and what happens to damaged ones."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from tests.datasets.trees_lab import write_video

from openfer.errors import DataError
from openfer.io.video import count_frames, iterate_frames, stream_frames


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.mp4", "mpeg4"), ("a.mkv", "mpeg4"), ("a.avi", "mjpeg")]
)
def test_frames_come_by_number_and_a_repeated_one_again(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, 20, codec=codec)
    assert count_frames(path) == 20
    frames = list(iterate_frames(path, [3, 3, 17]))
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert all(frame.dtype == np.uint8 for frame in frames)
    assert [frame.mean() for frame in frames] == pytest.approx([24, 24, 136], abs=4)


def turned_video(path: Path, pixels: np.ndarray, matrix: tuple[int, int, int, int]) -> Path:
    """Write a video of one picture whose header asks for (x, y) -> (a x + c y, b x + d y) when it is shown."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    place = content.find(b"tkhd") + 44  # behind version, five numbers, and what is reserved
    a, b, c, d = (0x10000 * number for number in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "matrix",
    [
        (1, 0, 0, 1),
        (0, 1, -1, 0),
        (-1, 0, 0, -1),
        (0, -1, 1, 0),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, -1, -1, 0),
    ],
)
def test_a_frame_is_turned_and_mirrored_as_a_player_shows_it(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    grey = np.array([[30, 80, 130], [180, 230, 5]], np.uint8)  # two by three fields, each unlike the others
    stored = np.repeat(np.kron(grey, np.ones((32, 32), np.uint8))[..., None], 3, 2)
    (shown,) = iterate_frames(turned_video(tmp_path / "phone.mp4", stored, matrix), [0])
    a, b, c, d = matrix
    moved = {(b * x + d * y, a * x + c * y): grey[y, x] for y in range(2) for x in range(3)}
    top, left = (min(place[axis] for place in moved) for axis in (0, 1))
    for (y, x), value in moved.items():
        field = shown[32 * (y - top) : 32 * (y - top + 1), 32 * (x - left) : 32 * (x - left + 1)]
        assert field.shape == (32, 32, 3)
        assert np.median(field) == pytest.approx(value, abs=6)


def test_no_frame_is_read_when_none_is_asked_for(tmp_path: Path) -> None:
    assert list(iterate_frames(tmp_path / "nowhere.avi", [])) == []


def test_frames_are_given_one_by_one_before_the_damage_shows(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 5)
    frames = iterate_frames(path, [2, 2, 4, 9])
    assert [next(frames).mean() for _ in range(3)] == pytest.approx([16, 16, 32], abs=4)
    with pytest.raises(DataError, match="ends after 5 frames, frame 9"):
        next(frames)
    with pytest.raises(DataError, match="ascending"):
        next(iterate_frames(path, [3, 1]))


def test_a_frame_past_the_end_is_named(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 5)
    with pytest.raises(DataError, match=r"a\.avi ends after 5 frames, frame 8 was asked for"):
        list(iterate_frames(path, [1, 8]))
    with pytest.raises(DataError, match="frames are counted from 0"):
        list(iterate_frames(path, [-1]))


def test_a_truncated_video_is_named_with_the_reason(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 20)
    path.write_bytes(path.read_bytes()[:600])
    for read in (count_frames, lambda video: list(iterate_frames(video, [19]))):
        with pytest.raises(DataError, match=r"a\.mp4 cannot be read as a video: "):
            read(path)


def test_a_video_cut_in_the_middle_says_where_it_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 30, size=(320, 240), codec="mjpeg")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"a\.avi (ends after \d+ frames|cannot be read)"):
        list(iterate_frames(path, [29]))


@pytest.mark.parametrize("read", [count_frames, lambda path: list(iterate_frames(path, [0]))])
def test_what_is_no_video_is_named(tmp_path: Path, read) -> None:
    (tmp_path / "a.avi").write_bytes(b"no video at all")
    with pytest.raises(DataError, match=r"a\.avi cannot be read as a video"):
        read(tmp_path / "a.avi")
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "b.avi")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts the threads in /proc")
def test_a_video_is_decoded_without_further_threads(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.avi", 12)
    before = len(list(Path("/proc/self/task").iterdir()))
    frames = stream_frames(path)
    next(frames)
    assert len(list(Path("/proc/self/task").iterdir())) == before
    frames.close()


def test_a_video_with_frames_beyond_the_limit_is_not_decoded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 3, size=(320, 240))
    with pytest.raises(DataError, match=r"frames of 0 megapixels, the limit is 0\.05"):
        next(iterate_frames(path, [0], largest_megapixels=0.05))


def test_all_frames_come_with_their_times_from_any_of_them_on(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 12)
    whole = list(stream_frames(path))
    assert [frame.number for frame in whole] == list(range(12))
    assert [frame.seconds for frame in whole] == pytest.approx([number / 24 for number in range(12)])
    rest = list(stream_frames(path, 9))
    assert [frame.number for frame in rest] == [9, 10, 11]
    assert all((a.pixels == b.pixels).all() for a, b in zip(rest, whole[9:], strict=True))
    assert list(stream_frames(path, 12)) == []


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_a_video_of_a_telephone_is_turned_as_its_display_matrix_says(tmp_path: Path, degrees: int) -> None:
    upright = np.zeros((64, 48, 3), np.uint8)
    upright[:32, :24] = 250  # bright at the upper left alone
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        recorded = np.ascontiguousarray(np.rot90(upright, -degrees // 90))
        stream.height, stream.width = recorded.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(degrees)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(recorded, format="rgb24")))
        container.mux(stream.encode())
    for pixels in (next(stream_frames(path)).pixels, next(iterate_frames(path, [0]))):
        assert pixels.shape == upright.shape
        assert np.abs(pixels.astype(int) - upright).mean() < 8
