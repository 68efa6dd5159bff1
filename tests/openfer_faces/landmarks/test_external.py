from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from openfer.errors import CheckpointError
from openfer.io.atomic import sha256_of
from openfer.io.checkpoint import Checkpoint
from openfer_faces.landmarks.choose import landmarker
from openfer_faces.landmarks.external import External
from openfer_faces.landmarks.settings import ExternalSettings, LandmarkerChoice


class Maps(nn.Module):
    """One stage of noise and one of 69 maps: point k at column k / 4, row 8, and a background."""

    def forward(self, images: Tensor) -> list[Tensor]:
        places = torch.arange(32) + 0.5
        across = torch.exp(-((places - torch.arange(69)[:, None] / 4 - 5) ** 2) / 2)
        down = torch.exp(-((places - 8.0) ** 2) / 2)
        maps = down[None, :, None] * across[:, None, :]
        brightness = images.mean((1, 2, 3))
        return [torch.rand(len(images), 69, 32, 32), maps[None] * brightness[:, None, None, None]]


class Points(nn.Module):
    """Points at the mean of each channel, so that order and normalisation show."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        means = images.mean((2, 3))
        return means[:, None, :2].repeat(1, 68, 1), means[:, 2:].repeat(1, 68)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    path = tmp_path / "maps.pt"
    torch.jit.script(Maps()).save(str(path))
    return path


def crops(size: int = 64) -> list[np.ndarray]:
    return [np.full((size, size, 3), value, np.uint8) for value in (255, 51)]


def test_heat_maps_of_a_scripted_detector_become_points_in_crop_pixels(maps: Path) -> None:
    points, scores = External(ExternalSettings(path=maps, sha256=sha256_of(maps), input_size=128)).find(crops())
    assert points.shape == (2, 68, 2)
    assert np.allclose(points[0, :, 0], (np.arange(68) / 4 + 5) * 2, atol=0.1)
    assert np.allclose(points[:, :, 1], 16, atol=0.1)
    # the peak of the darker image is a fifth: its logarithm is lower by that of five
    assert np.allclose(scores[0] - scores[1], np.log(5), atol=1e-3)


def test_raw_confidences_are_the_maxima_of_the_maps_and_need_no_calibration(maps: Path) -> None:
    settings = ExternalSettings(path=maps, input_size=128, confidence="raw")
    choice = LandmarkerChoice(landmarker="external", external=settings)
    found = landmarker(choice, Checkpoint({}, {}))(crops())
    with torch.no_grad():
        _, own = Maps()(torch.tensor([1.0, 0.2])[:, None, None, None].expand(-1, 3, 128, 128))
    assert np.allclose(found.confidence, own[:, :68].amax((2, 3)), atol=1e-5)
    assert found.confidence.dtype == np.float32
    with pytest.raises(CheckpointError, match="calibrations of no landmarker, none of external"):
        landmarker(choice.model_copy(update={"external": ExternalSettings(path=maps)}), Checkpoint({}, {}))


def test_raw_confidences_of_a_detector_of_points_are_its_scores_within_zero_and_one(tmp_path: Path) -> None:
    path = tmp_path / "points.pt"
    torch.jit.script(Points()).save(str(path))
    settings = ExternalSettings(path=path, gives="points", input_size=32, std=(1, 1, 0.5), confidence="raw")
    detector = landmarker(LandmarkerChoice(landmarker="external", external=settings), Checkpoint({}, {}))
    found = detector([np.full((64, 64, 3), value, np.uint8) for value in (51, 255)])
    assert found.confidence[:, 0] == pytest.approx([0.4, 1.0])  # 0.2 / 0.5, and 2 clipped


def test_channels_are_ordered_and_normalised_as_the_settings_say(tmp_path: Path) -> None:
    path = tmp_path / "points.pt"
    torch.jit.script(Points()).save(str(path))
    settings = ExternalSettings(path=path, gives="points", input_size=32, mean=(0.5, 0, 0), std=(0.5, 1, 1), bgr=True)
    crop = np.full((64, 64, 3), (0, 102, 255), np.uint8)
    points, scores = External(settings).find([crop])
    assert points[0, 0] == pytest.approx([2 * (1 - 0.5) / 0.5, 2 * 0.4], abs=1e-5)
    assert scores[0, 0] == pytest.approx(0, abs=1e-6)


def test_another_file_than_the_hash_says_is_refused(maps: Path) -> None:
    with pytest.raises(CheckpointError, match="it is not the file that the parameters mean"):
        External(ExternalSettings(path=maps, sha256="0" * 64))


def test_what_is_missing_damaged_or_of_another_shape_is_said(maps: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        External(ExternalSettings(path=tmp_path / "nothing.pt"))
    (tmp_path / "half.pt").write_bytes(maps.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="is not a TorchScript file"):
        External(ExternalSettings(path=tmp_path / "half.pt"))
    with pytest.raises(CheckpointError, match="expected points of shape"):
        External(ExternalSettings(path=maps, gives="points")).find(crops())


def test_an_onnx_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "maps.onnx").write_bytes(b"no graph")
    with pytest.raises(CheckpointError, match="is not an ONNX file that can be loaded"):
        External(ExternalSettings(path=tmp_path / "maps.onnx"))
