"""The way for data of one's own, typed as it stands in the docs."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from openfer.io.face_store import FaceStore
from tests.pipelines.conftest import ROOT, Project, new_project


@pytest.mark.slow
def test_a_folder_of_crops_is_examined_ingested_and_trained_on(tmp_path: Path, finished: Project) -> None:
    from PIL import Image

    project = new_project(tmp_path / "project")
    store = FaceStore(finished.path / "data/03_primary/synthetic_fer/faces")
    rows = pd.read_parquet(finished.path / "data/02_intermediate/synthetic_fer/rows.parquet").set_index("sample_id")
    for number, name in enumerate(store.sample_ids):
        row = rows.loc[name]
        folder = project.path / "data/01_raw/mine" / row["partition"] / row["expression"]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(store.image(number)).save(folder / f"{name}.png")

    own = (ROOT / "docs/data.md").read_text().split("## The copy of RAF-DB on Kaggle")[0]
    (block,) = re.findall(r"```yaml\n(.*?)```", own, re.DOTALL)
    (project.path / "conf/local/parameters.yml").write_text(block)
    (project.path / "conf/local/mlflow.yml").write_text("enabled: false\n")  # test_default_run has it
    commands = re.findall(r"^kedro run (.*=.*mine.*)$", own, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        project.run(*shlex.split(command))
    results = pd.read_csv(project.run_folder("08_reporting", "baseline") / "results.csv")
    assert (results["n"] == (rows["partition"] == "test").sum()).all()
