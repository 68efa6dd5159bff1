from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer.io.face_store import FaceStore
from openfer_faces.synthetic import render_set as module
from openfer_faces.synthetic.config import SyntheticConfig
from openfer_faces.synthetic.contact_sheet import caption, contact_sheet
from openfer_faces.synthetic.render_set import render_set
from openfer_faces.synthetic.sets import plan
from openfer_faces.synthetic.shards import Shard


def with_workers(config: SyntheticConfig, count: int) -> SyntheticConfig:
    return config.model_copy(update={"workers": count})


@pytest.fixture(scope="module")
def scenes(config: SyntheticConfig) -> pd.DataFrame:
    """Six people in two shards, three images each."""
    table = plan("synthetic_fer", config)
    return table[table["number"] < 3].reset_index(drop=True)


@pytest.fixture(scope="module")
def faces(scenes: pd.DataFrame, config: SyntheticConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_set(scenes, config, tmp_path_factory.mktemp("one"))


def content(faces: Path) -> tuple[bytes, pd.DataFrame]:
    return b"".join(shard.read_bytes() for shard in FaceStore(faces).shards), FaceStore(faces).table()


def test_two_workers_store_the_same_bytes_as_one(
    scenes: pd.DataFrame, config: SyntheticConfig, faces: Path, tmp_path: Path
) -> None:
    pixels, table = content(render_set(scenes, with_workers(config, 2), tmp_path))
    expected_pixels, expected_table = content(faces)
    assert pixels == expected_pixels
    pd.testing.assert_frame_equal(table, expected_table)


def test_another_seed_stores_other_bytes(config: SyntheticConfig, faces: Path, tmp_path: Path) -> None:
    other = plan("synthetic_fer", config.model_copy(update={"seed": 1})).head(3)
    stored = FaceStore(render_set(other, config, tmp_path))
    assert stored.encoded(0) != FaceStore(faces).encoded(0)


def test_the_store_follows_the_scenes_and_knows_what_is_visible(scenes: pd.DataFrame, faces: Path) -> None:
    store = FaceStore(faces)
    assert list(store.sample_ids) == list(scenes["sample_id"])
    table = store.table()
    assert set(np.concatenate(table["confidence68"])) == {0.0, 1.0}
    assert set(table["points68"].str.len()) == {136}
    assert set(table["points5"].str.len()) == {10}
    assert store.image(0).shape == (48, 48, 3)


def test_a_broken_rendering_goes_on_from_its_finished_shards(
    scenes: pd.DataFrame, config: SyntheticConfig, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = module.render_shard
    rendered: list[str] = []

    def breaks(shard: Shard) -> int:
        if rendered:
            raise KeyboardInterrupt
        rendered.append(shard.path.name)
        return render(shard)

    monkeypatch.setattr(module, "render_shard", breaks)
    with pytest.raises(KeyboardInterrupt):
        render_set(scenes, config, tmp_path)
    assert [file.name for file in (tmp_path / "shards").iterdir()] == rendered

    monkeypatch.setattr(module, "render_shard", lambda shard: rendered.append(shard.path.name) or render(shard))
    resumed = render_set(scenes, config, tmp_path)
    assert len(rendered) == len(set(rendered)) == 2
    assert content(resumed)[0] == content(faces)[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["faces"]


def test_an_altered_plan_finds_no_old_shard(scenes: pd.DataFrame, config: SyntheticConfig, tmp_path: Path) -> None:
    from openfer_faces.synthetic.shards import shards_of

    def names(table: pd.DataFrame, size: int) -> set[str]:
        return {shard.path.name for shard in shards_of(table, size, tmp_path)}

    assert not names(scenes, 48) & names(scenes, 64)
    assert len(names(scenes, 48) & names(scenes.iloc[1:], 48)) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_a_worker_is_raised_as_itself(
    scenes: pd.DataFrame, config: SyntheticConfig, tmp_path: Path, count: int
) -> None:
    broken = scenes.copy()
    broken.loc[len(broken) - 1, "expression"] = "boredom"
    with pytest.raises(ValueError, match="boredom"):
        render_set(broken, with_workers(config, count), tmp_path)
    assert not (tmp_path / "faces").exists()


def test_progress_names_the_set(
    scenes: pd.DataFrame, config: SyntheticConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render_set(scenes.head(2), config, tmp_path)
    assert "synthetic_fer" in capsys.readouterr().err


def test_a_contact_sheet_shows_each_face_with_its_caption(scenes: pd.DataFrame, faces: Path) -> None:
    sheet = contact_sheet(FaceStore(faces), scenes.head(5), columns=3, cell=64)
    assert sheet.width == 3 * 68 + 4
    assert sheet.height > 2 * 64
    values = np.asarray(sheet)
    assert (values[4:68, 4:68] != 255).any()
    first = scenes.iloc[0].to_dict()
    assert caption(first).startswith(first["expression"])
    assert (first["occluder"] == "none") == (first["occluder"] not in caption(first))
