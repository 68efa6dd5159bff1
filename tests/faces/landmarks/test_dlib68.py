import builtins
import sys

import numpy as np
import pytest

from openfer.errors import ParameterError
from openfer.faces.landmarks.augment import align
from openfer.faces.landmarks.calibrate import auc
from openfer.faces.landmarks.dlib68 import Dlib68
from openfer.faces.landmarks.known import KnownFaces
from openfer.faces.landmarks.refiner import refiner


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def absent(name: str, *arguments: object, **keywords: object) -> object:
        if name == "dlib":
            raise ImportError("no dlib", name="dlib")
        return true_import(name, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "dlib", raising=False)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ParameterError, match=r"package 'dlib'; install it with pip install 'openfer\[dlib\]'"):
        Dlib68()


def test_points_of_rendered_faces_are_near_the_truth_and_the_same_each_time(known: KnownFaces) -> None:
    pytest.importorskip("dlib")
    faces = [align(known[number], 128) for number in range(0, 56, 7)]
    crops = [face.image for face in faces]
    landmarker = Dlib68()
    points, scores = landmarker.find(crops)
    again = Dlib68().find(crops)
    assert np.array_equal(points, again[0])
    assert np.array_equal(scores, again[1])
    inner = np.linalg.norm(points - [face.points68 for face in faces], axis=2)[:, 17:]
    assert np.median(inner) < 0.05 * 128
    assert landmarker.licence.startswith("non-commercial")


def test_points_wander_more_on_a_covered_mouth(known: KnownFaces) -> None:
    pytest.importorskip("dlib")
    crops = [align(known[number], 128).image.copy() for number in range(0, 56, 4)]
    covered = np.stack(crops)
    noise = np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    covered[:, 72:, 16:112] = np.kron(noise, np.ones((7, 6, 1), np.uint8))
    scores = np.concatenate([Dlib68().find(part)[1][:, 48:] for part in (crops, covered)])
    assert auc(scores, np.repeat([True, False], len(crops) * 20)) > 0.6


def test_a_second_alignment_takes_its_points_from_the_landmarker_asked_for(known: KnownFaces) -> None:
    assert refiner("none", None) is None
    with pytest.raises(ParameterError, match="run the pipeline landmarks first"):
        refiner("heatmap", None)
    pytest.importorskip("dlib")
    find = refiner("dlib", None)
    assert find is not None
    assert find([known[0].image])[0].shape == (1, 68, 2)
