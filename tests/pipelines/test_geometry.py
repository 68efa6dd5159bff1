"""The geometry of a dataset's faces, by the project's catalog and runner."""

from pathlib import Path

import pytest
from kedro.framework.session import KedroSession

from openfer.pipelines import planned
from openfer.pipelines.geometry import geometry_pipeline
from openfer.runners import IdempotentRunner
from openfer.schemas import GEOMETRY
from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop, forget_pipelines


@pytest.mark.slow
def test_every_face_is_measured_once(tiny_faces: TinyFaces, tmp_path: Path) -> None:
    workshop = Workshop.new(tmp_path / "project")
    faces = workshop.path / "data/03_primary/mine/faces"
    faces.parent.mkdir(parents=True)
    faces.symlink_to(tiny_faces.store.folder)
    forget_pipelines()
    with KedroSession.create(workshop.path) as session:
        catalog = session.load_context().catalog
        IdempotentRunner().run(geometry_pipeline("mine"), catalog)
        made = (workshop.path / "data/04_feature/geometry/mine.parquet").stat().st_mtime_ns
        IdempotentRunner().run(geometry_pipeline("mine"), catalog)
        assert (workshop.path / "data/04_feature/geometry/mine.parquet").stat().st_mtime_ns == made  # up to date
    planned._handed.clear()
    table = workshop.table("04_feature", "geometry", "mine.parquet")
    assert len(GEOMETRY.validate(table)) == len(tiny_faces.store)
    assert (table["presence"] > 0.5).mean() > 0.95
    assert not list((workshop.path / "data/02_intermediate/.work").rglob("*.parquet"))
