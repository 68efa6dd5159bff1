"""`kedro run --pipelines predict` on a folder of photographs and a video."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.conftest import TinyFaces
from tests.datasets.trees_lab import write_video
from tests.inference.conftest import scene
from tests.inference.made_models import look_at_colours
from tests.pipelines.in_process import Workshop


@pytest.mark.slow
def test_a_folder_is_predicted_again_when_its_files_change_and_only_then(tiny_faces: TinyFaces, tmp_path: Path) -> None:
    workshop = Workshop.new(tmp_path / "project")
    folder = tmp_path / "photographs"
    asked = {"predict": {"folder": str(folder), "model": str(look_at_colours(tmp_path / "colours.onnx"))}}
    (folder / "more").mkdir(parents=True)
    Image.fromarray(scene([tiny_faces.store.image(0)])).save(folder / "more/a.png")
    write_video(folder / "clip.avi", 3)
    assert workshop.run("predict", "synthetic_fer", **asked) == ["predict.predict"]
    assert workshop.run("predict", "synthetic_fer", **asked) == []
    table = pd.read_parquet(workshop.path / "data/07_model_output/predict/faces.parquet")
    assert [Path(file).name for file in table["file"]] == ["clip.avi"] * 3 + ["a.png"]
    assert table["frame"].tolist()[:3] == [0, 1, 2]
    assert table["reason"].dropna().tolist() == ["no face found"] * 3
    assert table["face"].iloc[3] == 0
    assert -1 < table["valence"].iloc[3] < 1
    shutil.rmtree(folder / "more")
    assert workshop.run("predict", "synthetic_fer", **asked) == ["predict.predict"]
    assert len(pd.read_parquet(workshop.path / "data/07_model_output/predict/faces.parquet")) == 3
