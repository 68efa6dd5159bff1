"""kill -9 in the middle of `kedro run --pipelines ingest`, then the same command again."""

import os
from pathlib import Path

import pytest

from openfer.io.atomic import sha256_of
from tests.datasets.trees import write_image
from tests.pipelines.conftest import Project
from tests.pipelines.in_process import Workshop

NAME = "mine"
IMAGES = 650
"""Two pieces of work of 256 images, and a bit."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some damaged images."""
    root = tmp_path_factory.mktemp("raw")
    for number in range(IMAGES):
        side, word = ("train", "test")[number % 4 == 0], ("happy", "sad", "angry")[number % 3]
        path = write_image(root / f"{side}/{word}/{number:04d}.png", (64, 64))
        if number % 50 == 7:
            path.write_bytes(path.read_bytes()[: number // 20])
    return root


@pytest.fixture
def workshops(raw: Path, tmp_path: Path) -> tuple[Workshop, Workshop]:
    """Two projects that read the same folder, with one and with two workers."""
    both = Workshop.new(tmp_path / "undisturbed"), Workshop.new(tmp_path / "killed")
    for workers, workshop in enumerate(both, 1):
        faces = {"align": "whole", "size": 64, "workers": workers}
        workshop.describe(NAME, reader="folder", root=str(raw), faces=faces, protocol={"kind": "official"})
    return both


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="ends process groups")
def test_a_killed_ingestion_ends_with_the_same_bytes(workshops: tuple[Workshop, Workshop]) -> None:
    undisturbed, killed = workshops
    undisturbed.run("ingest", NAME)
    words = ("--pipelines", "ingest", "--params", f"dataset={NAME}")

    data = killed.path / "data"
    project = Project(killed.path)
    project.killed_at("openfer.faces.align_set:in_processes", *words)
    assert not (data / "03_primary" / NAME / "faces").exists()
    kept = len(list((data / "02_intermediate/.work" / NAME).glob("*/shards/*.arrow")))

    said = project.run(*words)
    assert "running     mine.align" in said
    assert "running     mine.inventory" not in said
    assert f"{kept * 256}/{IMAGES}" in said  # the bar begins where the killed run has ended
    for place in ("02_intermediate/mine/rows.parquet", "03_primary/mine/faces", "03_primary/mine/quarantine.parquet"):
        assert sha256_of(data / place) == sha256_of(undisturbed.path / "data" / place)
    names = list(killed.faces(NAME).sample_ids)
    assert len(names) + len(killed.quarantine(NAME)) == len(killed.rows(NAME)) == IMAGES
    assert len(set(names)) == len(names)
    assert not (data / "02_intermediate/.work" / NAME).exists()
