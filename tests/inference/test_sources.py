"""What names on the command line mean."""

from pathlib import Path

import pytest

from openfer.errors import DataError
from openfer.inference.sources import find_sources


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.JPG", "a.png", "clip.mp4", "notes.txt", "sub/c.webp", ".hidden/d.png", "drawn/a.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*names: str, apart: Path | None = None) -> list[str]:
    return [source.path.as_posix().removeprefix("photos/") for source in find_sources(names, apart)]


def test_a_folder_means_its_images_and_videos_and_those_below_but_no_hidden_ones(tree: Path) -> None:
    assert found("photos") == ["a.png", "b.JPG", "clip.mp4", "drawn/a.png", "sub/c.webp"]
    assert [source.is_video for source in find_sources(["photos"])] == [False, False, True, False, False]


def test_annotated_copies_of_the_last_time_are_no_inputs(tree: Path) -> None:
    assert found("photos", apart=Path("photos/drawn")) == ["a.png", "b.JPG", "clip.mp4", "sub/c.webp"]
    with pytest.raises(DataError, match=r"photos is no file.* outside of photos;"):
        find_sources(["photos"], apart=Path("photos"))


def test_patterns_files_and_repetitions(tree: Path) -> None:
    assert found("photos/*.png", str(tree / "photos/a.png"), "photos/notes.txt") == ["a.png", "notes.txt"]
    assert found("photos/**/*.webp") == ["sub/c.webp"]
    assert found(str(tree / "photos/*.mp4")) == [(tree / "photos/clip.mp4").as_posix()]


@pytest.mark.parametrize("name", ["nowhere", "photos/*.gif", "photos/*.txt", "photos/.hidden"])
def test_a_name_without_files_is_an_error(tree: Path, name: str) -> None:
    (tree / "photos/.hidden/d.png").unlink()
    with pytest.raises(DataError, match="is no file, no folder with images"):
        find_sources([name])
