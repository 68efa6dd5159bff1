"""Faces followed over frames, and numbers smoothed over time."""

import numpy as np
import pytest

from openfer.inference.tracking import Smoother, Tracker, tracked


def box(left: float, top: float = 0, side: float = 100) -> np.ndarray:
    return np.array([left, top, left + side, top + side])


def test_two_people_who_move_keep_their_numbers_whatever_their_order() -> None:
    track = Tracker()
    assert track([box(0), box(300)], 0.0) == [0, 1]
    assert track([box(280), box(20)], 0.04) == [1, 0]
    assert track([box(40)], 0.08) == [0]
    assert track([box(60), box(260)], 0.12) == [0, 1]  # the other one was unseen for a frame


def test_the_pair_that_overlaps_most_is_one_face() -> None:
    track = Tracker()
    track([box(0), box(60)], 0.0)
    assert track([box(50), box(110)], 0.04) == [1, 2]  # 50 overlaps with 60 more than with 0; 110 is too far from both


def test_a_person_who_was_away_for_long_is_a_new_one() -> None:
    track = Tracker()
    assert track([box(0)], 0.0) == [0]
    assert track([], 0.5) == []
    assert track([box(0)], 0.9) == [0]
    assert track([box(0)], 2.0) == [1]


def face(time: float, happy: float, track: int = 0, valence: float = 0.0) -> dict:
    expression = "happiness" if happy > 0.5 else "neutral"
    numbers = {"p_neutral": 1 - happy, "p_happiness": happy, "valence": valence}
    return {"file": "a.mp4", "frame": int(time * 10), "time": time, "track": track, "expression": expression} | numbers


def test_smoothing_is_an_exponential_average_of_each_track() -> None:
    times, values = [0.0, 0.1, 0.3, 0.4], [1.0, 0.0, 0.0, 0.2]
    smooth = Smoother(0.2)
    found = []
    for time, value in zip(times, values, strict=True):
        found.append(smooth(face(time, value, valence=-value)))
        assert smooth(face(time, 0.5, track=1))["p_happiness"] == pytest.approx(0.5)
    mean = values[0]
    for number in range(1, 4):
        keep = np.exp(-(times[number] - times[number - 1]) / 0.2)
        mean = keep * mean + (1 - keep) * values[number]
        assert found[number]["p_happiness"] == pytest.approx(mean, abs=1e-5)
        assert found[number]["valence"] == pytest.approx(-mean, abs=1e-5)
        assert found[number]["p_neutral"] + found[number]["p_happiness"] == pytest.approx(1, abs=1e-5)
    assert [row["expression"] for row in found] == ["happiness", "happiness", "neutral", "neutral"]


def test_rows_of_images_and_frames_without_a_face_pass_unchanged() -> None:
    image = {"file": "a.jpg", "frame": None, "face": 0, "expression": "anger"}
    empty = {"file": "b.mp4", "frame": 0, "time": 0.0, "reason": "no face found"}
    sides = dict(zip(("left", "top", "right", "bottom"), box(0).tolist(), strict=True))
    seen = face(0.04, 0.9) | sides | {"file": "b.mp4", "frame": 1, "face": 0}
    other = seen | {"file": "c.mp4"}
    found = list(tracked([image, empty, seen, other], smooth=0.5))
    assert found[:2] == [image, empty]
    assert [row["track"] for row in found[2:]] == [0, 0]  # every file has its own numbers
