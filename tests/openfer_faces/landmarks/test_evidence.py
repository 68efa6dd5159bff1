import numpy as np
import pytest

from openfer.errors import DataError
from openfer.faces.template import template_points
from openfer.seeds import generator_for
from openfer_faces.landmarks.contract import Crops, Landmarks, check_crops
from openfer_faces.landmarks.evidence import alignment, known_points, occlusion, paste_all, pupils
from openfer_faces.landmarks.figures import faces_with_points, side_by_side
from openfer_faces.landmarks.pasted import KINDS, paste


def face_points(size: int = 128, count: int = 4) -> np.ndarray:
    """Points whose lids surround the template's eyes; the others lie in rows over the face."""
    points = np.stack(np.meshgrid(np.linspace(0.25, 0.75, 17), np.linspace(0.3, 0.9, 4)), -1).reshape(68, 2) * size
    ring = np.array([(-4, 0), (-2, -2), (2, -2), (4, 0), (2, 2), (-2, 2)])
    for eye, start in zip(template_points(size)[:2], (36, 42), strict=True):
        points[start : start + 6] = eye + ring
    return np.repeat(points[None], count, axis=0)


class Oracle:
    """Knows the points, and takes a point for covered where the crop is not black."""

    name, licence = "oracle", "none"

    def __call__(self, crops: Crops) -> Landmarks:
        points = face_points(len(crops[0]), len(crops))
        rows, columns = points[..., 1].astype(int), points[..., 0].astype(int)
        bare = np.stack([crop[r, c].sum(-1) == 0 for crop, r, c in zip(crops, rows, columns, strict=True)])
        return Landmarks(points, bare * 0.8 + 0.1)


def crops(count: int = 4) -> np.ndarray:
    """Black faces with a bright stripe from which surfaces are cut."""
    return np.zeros((count, 128, 128, 3), np.uint8)


def test_distances_are_shares_of_the_outer_eye_corners_distance_and_of_visible_points_only() -> None:
    points = face_points()
    unit = points[0, 45, 0] - points[0, 36, 0]
    visible = np.ones((4, 68), bool)
    visible[:, 48:] = False
    moved = points + np.array([0.1 * unit, 0])
    moved[:, 48:] += 50
    values = known_points(Landmarks(moved, visible * 0.9), points, visible | (np.arange(68) == 60))
    assert values["nme_eyes"] == pytest.approx(0.1, rel=1e-3)
    assert values["nme_hidden"] > 0.3
    assert 0.5 < values["auc"] <= 1


def test_lids_below_pupils_are_an_offset_and_no_scatter() -> None:
    points = face_points(256)
    given = np.repeat(template_points(256)[None, :2], 4, axis=0) - (0, 3)
    values = pupils(points, given)
    assert values["pupil_px_median"] == pytest.approx(3)
    assert values["pupil_offset_y"] == pytest.approx(3)
    assert values["pupil_centred_px_max"] == pytest.approx(0, abs=1e-9)


def test_faces_aligned_by_the_template_itself_have_their_pupils_in_place_and_level() -> None:
    five = np.repeat(template_points(256)[None], 3, axis=0)
    values = alignment(five, five[:, :2], 256)
    assert values["aligned_px_max"] == pytest.approx(0, abs=1e-9)
    assert values["aligned_tilt_max"] == pytest.approx(0.32, abs=0.01)  # the template's own eyes are not quite level


def test_who_sees_every_cover_has_an_auc_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from openfer_faces.landmarks import pasted

    monkeypatch.setattr(pasted, "_surface", lambda other, size, generator: np.full((size, size, 3), 200, np.uint8))
    values = occlusion(Oracle(), crops(), face_points(), seed=0)
    assert [values[f"auc_{kind}"] for kind in KINDS[1:]] == [1.0, 1.0, 1.0]
    assert values["kept"] == 1.0
    assert values["covered_kept"] == 0.0
    assert values["calibration_error"] == pytest.approx(0.1)


@pytest.mark.parametrize(("kind", "covers", "leaves"), [("glasses", [0, 1], [3, 4]), ("mask", [3, 4], [0, 1])])
def test_glasses_cover_the_eyes_and_a_mask_the_mouth(kind: str, covers: list[int], leaves: list[int]) -> None:
    for number in range(5):
        cover = paste(crops()[0], crops()[0], kind, generator_for(0, number)).cover
        columns, rows = template_points(128).astype(int).T
        assert cover[rows[covers], columns[covers]].all()
        assert not cover[rows[leaves], columns[leaves]].any()


def test_pasted_surfaces_come_from_another_picture() -> None:
    faces = crops(3)
    faces[1:] = 90
    first = paste_all(faces, "hand", 0)[0]
    assert first.cover.any()
    assert (first.image[first.cover] > 0).all()
    assert (first.image[~first.cover] == 0).all()


def test_a_sheet_shows_every_face_under_its_title() -> None:
    found = Oracle()(crops(3))
    sheet = faces_with_points(crops(3), found, columns=2, cell=64)
    assert sheet.size == (128, 128)
    assert np.asarray(sheet)[:64, :64, 1].max() > 150
    assert side_by_side([sheet, sheet], ["one", "two"]).height > 2 * 128


def test_what_is_no_crop_is_refused() -> None:
    with pytest.raises(DataError, match=r"crop 1 is uint8 of shape \(64, 32, 3\)"):
        check_crops([np.zeros((64, 64, 3), np.uint8), np.zeros((64, 32, 3), np.uint8)])
