"""`openfer predict --webcam`, with a video that PyAV reads as it reads a camera."""

import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from openfer.console import openfer
from openfer.errors import ParameterError
from openfer.inference import command
from openfer.inference.filming import film
from openfer.inference.prediction import FacePrediction
from openfer.inference.predictor import Predictor
from openfer.io.camera import Camera
from openfer.io.video import stream_frames
from tests.inference.conftest import FRAMES, RATE, run


@pytest.fixture
def filmed(video: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That video, for ever, as camera 0."""
    endless = f"movie={video}:loop=0,setpts=N/{RATE}/TB"
    monkeypatch.setattr(command, "find_camera", lambda number: Camera(f"camera {number}", endless, "lavfi"))
    return video


def test_a_camera_gives_the_rows_of_a_video_until_ctrl_c(
    filmed: Path, followed: Path, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, seen = Predictor.faces, []
    before = signal.getsignal(signal.SIGINT)  # a shell lets programs in its background ignore it

    def faces(self: Predictor, image: np.ndarray) -> list[FacePrediction]:
        seen.append(1)
        if len(seen) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return true(self, image)

    monkeypatch.setattr(Predictor, "faces", faces)
    said = run("--webcam", "-m", model_file, "-o", tmp_path / "film.csv")
    table = pd.read_csv(tmp_path / "film.csv")
    assert set(table["file"]) == {"camera 0"}
    assert 6 <= table["frame"].nunique() < FRAMES
    expected = pd.read_csv(followed / "v.csv").head(len(table))
    assert table["time"].tolist() == pytest.approx(expected["time"].tolist(), abs=1e-3)
    same = [name for name in table if name not in ("file", "time")]
    pd.testing.assert_frame_equal(table[same], expected[same], check_dtype=False)
    assert "Filming with camera 0" in said
    assert [path.name for path in tmp_path.iterdir()] == ["film.csv"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_camera_that_stops_gives_its_frames_and_then_the_reason(damaged: Path, predictor: Predictor) -> None:
    *rows, last = film(predictor, stream_frames(damaged), "camera 0", lambda: False)
    assert sorted({row["frame"] for row in rows}) == [0, 1, 2, 3, 4]
    assert list(last) == ["file", "reason"]
    assert "Invalid data" in last["reason"]


def test_a_camera_is_read_alone(video: Path, model_file: Path, tmp_path: Path) -> None:
    run("--webcam", "1", video, "-m", model_file, expect=ParameterError)
    run("--webcam", "-m", model_file, "--annotated", tmp_path / "drawn", expect=ParameterError)
    assert "give images, folders or videos, or --webcam" in CliRunner().invoke(openfer, ["predict"]).output
