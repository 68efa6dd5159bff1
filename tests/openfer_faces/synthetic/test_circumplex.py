import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.labels import AFFECT, BASIC_EXPRESSIONS
from openfer_faces.synthetic.circumplex import CIRCUMPLEX, circumplex
from openfer_faces.synthetic.sets import rows


def scenes(**columns):
    return pd.DataFrame(columns)


def test_every_basic_expression_has_a_place_in_the_plane_and_neutral_is_its_origin():
    assert tuple(CIRCUMPLEX) == BASIC_EXPRESSIONS
    assert CIRCUMPLEX["neutral"] == (0, 0)
    assert all(abs(value) <= 1 for place in CIRCUMPLEX.values() for value in place)


def test_intensity_moves_a_face_along_the_line_from_neutral_and_no_further_than_the_border():
    found = circumplex(scenes(expression=["happiness"] * 3, intensity=[0.5, 1.0, 2.0]))
    assert found["valence"].tolist() == pytest.approx([0.405, 0.81, 1.0])
    assert found["arousal"].tolist() == pytest.approx([0.255, 0.51, 1.0])


def test_an_expression_without_a_place_is_refused_with_those_that_have_one():
    with pytest.raises(DataError, match=r"contempt has no valence and arousal; those that have are neutral, happiness"):
        circumplex(scenes(expression=["contempt"], intensity=[1.0]))


def test_rows_of_the_expression_set_are_rated_and_those_of_the_others_are_not(tiny_faces, tiny_sequences):
    rated = rows("synthetic_fer", tiny_faces.scenes)
    expected = circumplex(tiny_faces.scenes)
    for name in AFFECT:
        assert rated[name].tolist() == pytest.approx(expected[name].tolist())
    assert rated.loc[rated["expression"] == "happiness", "valence"].between(0.7, 0.82).all()
    assert rows("synthetic_sequences", tiny_sequences.scenes)[list(AFFECT)].isna().all(axis=None)
