"""A camera's frames, from a source that PyAV reads as it reads a camera."""

import pytest

from openfer.errors import DataError
from openfer.io.camera import Camera, find_camera, opened_camera


def test_frames_are_counted_and_timed_from_the_first_one() -> None:
    late = Camera("camera 3", "testsrc=size=64x48:rate=10:duration=0.5,setpts=PTS+7/TB", "lavfi")
    with opened_camera(late) as frames:
        found = list(frames)
    assert [frame.number for frame in found] == [0, 1, 2, 3, 4]
    assert [frame.seconds for frame in found] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert {frame.pixels.shape for frame in found} == {(48, 64, 3)}
    assert (found[0].pixels != found[4].pixels).any()


@pytest.mark.parametrize(
    ("camera", "reason"),
    [
        (Camera("camera 7", "/dev/video-nowhere", "v4l2"), "cannot be opened: No such file or directory"),
        (Camera("camera 7", "7", "no-such-way"), "cannot be opened: no container format"),
        (Camera("camera 7", "sine=duration=1", "lavfi"), "sends no pictures"),
    ],
)
def test_a_missing_camera_is_one_error_with_its_name(camera: Camera, reason: str) -> None:
    with pytest.raises(DataError, match=rf"camera 7 \(.*\) {reason}.*give another number"), opened_camera(camera):
        pass


def test_a_number_means_the_device_of_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for platform, kind, address in (("linux", "v4l2", "/dev/video2"), ("darwin", "avfoundation", "2")):
        monkeypatch.setattr("sys.platform", platform)
        camera = find_camera(2)
        assert (camera.name, camera.kind, camera.address) == ("camera 2", kind, address)
