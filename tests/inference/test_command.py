"""`openfer predict` as a person types it, on photographs and videos that real codecs wrote."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from openfer.errors import DataError, ParameterError
from openfer.inference import parts, tables
from openfer.io.video import Frame, stream_frames
from tests.inference.conftest import FRAMES, RATE, run
from tests.inference.made_models import look_at_colours


@pytest.fixture(scope="module")
def photos(photographs, tmp_path_factory) -> Path:
    """A folder: two photographs, one of them lying on its side, an image without a face, and a damaged one."""
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(photographs[0]).save(folder / "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(photographs[0]).transpose(Image.Transpose.ROTATE_90)
    lying.save(folder / "b.jpg", quality=95, subsampling=0, exif=exif)
    Image.new("RGB", (64, 48)).save(folder / "c.webp")
    (folder / "d.jpg").write_bytes((folder / "b.jpg").read_bytes()[:3000])
    return folder


def test_a_folder_becomes_one_row_for_each_face_or_reason(photos: Path, model_file: Path, tmp_path: Path) -> None:
    said = run(photos, "--model", model_file, "-o", tmp_path / "faces.csv")
    table = pd.read_csv(tmp_path / "faces.csv", keep_default_na=False)
    assert [Path(file).name for file in table["file"]] == ["a.png", "b.jpg", "c.webp", "d.jpg"]
    assert table["reason"].tolist() == ["", "", "no face found", "truncated JPEG"]
    assert table["face"].astype(str).tolist() == ["0", "0", "", ""]
    first, second = table.iloc[0], table.iloc[1]  # the same photograph, one turned by its EXIF note
    sides = ["left", "top", "right", "bottom"]
    assert second[sides].astype(float).tolist() == pytest.approx(first[sides].astype(float).tolist(), abs=3)
    assert first["expression"] == second["expression"]
    assert sum(float(first[name]) for name in table if name.startswith("p_")) == pytest.approx(1, abs=1e-5)
    assert sum(name.startswith("blendshape_") for name in table) == 52
    assert "faces: 2; without a face: 1; unreadable: 1" in said
    assert said.count("It learned from rendered faces alone.") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["faces.csv"]


def test_three_kinds_of_files_hold_the_same_rows(photos: Path, model_file: Path, tmp_path: Path) -> None:
    for kind in ("csv", "parquet", "jsonl"):
        run(photos, "-m", model_file, "-o", tmp_path / f"faces.{kind}")
    parquet = pd.read_parquet(tmp_path / "faces.parquet")
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [list(line) for line in lines] == [list(parquet)] * 4
    assert lines == json.loads(parquet.to_json(orient="records", double_precision=10))
    comma = pd.read_csv(tmp_path / "faces.csv")
    assert list(comma) == list(parquet)
    numbers = [name for name in parquet if parquet[name].dtype == float and parquet[name].notna().any()]
    assert np.allclose(comma[numbers], parquet[numbers], equal_nan=True, atol=0)


def test_a_model_of_pixels_gives_valence_and_arousal_and_no_blendshapes(photos: Path, tmp_path: Path) -> None:
    model = look_at_colours(tmp_path / "colours.onnx")
    run(photos / "a.png", "-m", model, "-o", tmp_path / "faces.csv")
    (row,) = pd.read_csv(tmp_path / "faces.csv").to_dict("records")
    assert -1 < row["valence"] < row["arousal"] < 1  # of skin: more green than the difference of red and blue
    assert not any(name.startswith("blendshape_") for name in row)


def test_another_kind_of_file_is_refused_before_any_work(photos: Path, model_file: Path, tmp_path: Path) -> None:
    run(photos, "-m", model_file, "-o", tmp_path / "faces.xlsx", expect=ParameterError)
    run(tmp_path / "nowhere", "-m", model_file, expect=DataError)
    assert not list(tmp_path.iterdir())


def test_a_table_without_its_package_is_refused_before_any_work(
    photos: Path, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "find_spec", lambda name: None)  # as where only prediction is installed
    run(photos, "-m", model_file, "-o", tmp_path / "faces.parquet", expect=ParameterError)
    run(photos / "a.png", "-m", model_file, "-o", tmp_path / "faces.csv")


def test_copies_have_boxes_around_the_faces_and_stand_upright(photos: Path, model_file: Path, tmp_path: Path) -> None:
    run(photos, "-m", model_file, "-o", tmp_path / "faces.csv", "--annotated", tmp_path / "drawn")
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "b.jpg", "c.webp"]
    row = pd.read_csv(tmp_path / "faces.csv").iloc[0]
    before = np.asarray(Image.open(photos / "a.png"))
    after = np.asarray(Image.open(tmp_path / "drawn/a.png"))
    changed = (before != after).any(axis=2)
    x, y = (round((row[a] + row[b]) / 2) for a, b in (("left", "right"), ("top", "bottom")))
    assert changed[y, round(row["left"]) - 1 : round(row["left"]) + 2].any()
    assert changed[round(row["bottom"]) - 1 : round(row["bottom"]) + 2, x].any()
    assert not changed[y - 20 : y + 20, x - 20 : x + 20].any()
    upright = ImageOps.exif_transpose(Image.open(photos / "b.jpg"))
    assert Image.open(tmp_path / "drawn/b.jpg").size == upright.size
    assert (np.asarray(Image.open(tmp_path / "drawn/c.webp")) == 0).all()


def test_people_in_a_video_are_followed(followed: Path) -> None:
    table = pd.read_csv(followed / "v.csv")
    assert table["frame"].tolist() == sorted([*range(FRAMES), *range(FRAMES // 2)])
    assert table["time"].tolist() == pytest.approx((table["frame"] / RATE).tolist(), abs=1e-5)
    tracks = table.sort_values("left").groupby("track", sort=False)
    assert tracks.size().tolist() == [FRAMES, FRAMES // 2]  # the left one, the right one
    assert (tracks["left"].agg(np.ptp) - [FRAMES - 1, FRAMES // 2 - 1]).abs().max() < 4


def test_the_copy_of_a_video_has_boxes_and_the_same_times(video: Path, followed: Path) -> None:
    before, after = list(stream_frames(video)), list(stream_frames(followed / "drawn/two.mp4"))
    assert [frame.seconds for frame in after] == pytest.approx([frame.seconds for frame in before], abs=2e-3)
    row = pd.read_csv(followed / "v.csv").iloc[0]
    y, x = round((row["top"] + row["bottom"]) / 2), round(row["left"])
    assert _difference(before[0], after[0])[y - 10 : y + 10, x - 1 : x + 2].mean() > 20
    assert _difference(before[0], after[0])[220:].mean() < 5


def _difference(before: Frame, after: Frame) -> np.ndarray:
    return np.abs(after.pixels.astype(int) - before.pixels)


def test_smoothed_probabilities_change_less_from_frame_to_frame(
    video: Path, followed: Path, model_file: Path, tmp_path: Path
) -> None:
    said = run(video, "-m", model_file, "-o", tmp_path / "v.csv", "--smooth", 0.5)
    assert f"faces: {FRAMES * 3 // 2}; tracks in videos: 2; without a face: 0; unreadable: 0" in said
    changes = []
    for folder in (followed, tmp_path):
        table = pd.read_csv(folder / "v.csv")
        columns = [name for name in table if name.startswith("p_")]
        assert table[columns].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
        changes.append(table.groupby("track")[columns].diff().abs().sum().sum())
    assert changes[1] < 0.7 * changes[0]


def test_a_damaged_video_gives_its_frames_and_then_the_reason(damaged: Path, model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video at all")
    run(damaged, tmp_path / "no.mp4", "-m", model_file, "-o", tmp_path / "v.csv")
    table = pd.read_csv(tmp_path / "v.csv")
    frames = table[table["face"].notna()]["frame"].unique().tolist()
    assert frames == [0, 1, 2, 3, 4]
    reasons = table[["file", "reason"]].dropna()
    assert [Path(file).name for file in reasons["file"]] == ["damaged.mkv", "no.mp4"]
    assert reasons["reason"].str.startswith("the file cannot be read as a video: Invalid data").all()


_KILLED = """
import os, signal, sys
from openfer.console import openfer
from openfer.inference import parts, tables
parts._AT_ONCE = 4
from openfer.inference.predictor import Predictor
true, seen = Predictor.faces, []
def faces(self, image):
    seen.append(1)
    if len(seen) == 12:
        os.kill(os.getpid(), signal.SIGKILL)
    return true(self, image)
Predictor.faces = faces
openfer(sys.argv[1:])
"""


def test_after_kill_9_no_frame_is_lost_or_doubled_and_finished_ones_are_kept(
    video: Path, followed: Path, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["predict", str(video), "-m", str(model_file), "-o", str(tmp_path / "v.csv")]
    killed = subprocess.run([sys.executable, "-c", _KILLED, *command], capture_output=True, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "v.csv").exists()
    finished = list((tmp_path / "v.csv.parts").rglob("*.jsonl"))
    assert finished
    monkeypatch.setattr(parts, "_AT_ONCE", 4)
    frames: list[int] = []
    monkeypatch.setattr(parts, "face_rows", _noting(frames))
    run(*command[1:])
    assert sorted(frames) == list(range(4 * len(finished), FRAMES))
    assert (tmp_path / "v.csv").read_bytes() == (followed / "v.csv").read_bytes()
    assert not (tmp_path / "v.csv.parts").exists()


def _noting(frames: list[int]):
    true = parts.face_rows

    def noted(file, faces, frame=None, seconds=None):
        frames.append(frame)
        return true(file, faces, frame, seconds)

    return noted


def test_errors_are_shown_without_a_traceback(tmp_path: Path) -> None:
    program = "import sys; from openfer.console import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "predict", str(tmp_path / "x.jpg")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: DataError: ")
    assert "Traceback" not in done.stderr
