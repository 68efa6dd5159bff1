"""Recordings of an expression that rises from neutral to its peak."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from openfer.labels import BASIC_EXPRESSIONS
from openfer_faces.synthetic.config import SyntheticConfig
from openfer_faces.synthetic.sets import plan, rise, rows
from tests.conftest import TinyFaces

NAME = "synthetic_sequences"


@pytest.fixture(scope="module")
def scenes(config: SyntheticConfig) -> pd.DataFrame:
    return plan(NAME, config)


def test_an_expression_rises_from_neutral_to_a_peak_of_the_strength_that_is_asked_for(
    scenes: pd.DataFrame, config: SyntheticConfig
) -> None:
    asked = config.sequences.mixture.intensity
    peaks = set()
    for _, sequence in scenes.groupby("sequence"):
        assert sequence["frame"].tolist() == [1, 2, 3, 4, 5, 6]
        strength = sequence["intensity"].tolist()
        assert strength[0] == 0
        assert all(one < next_one for one, next_one in pairwise(strength))
        assert asked.low <= strength[-1] <= asked.high
        peaks.add(strength[-1])
    assert len(peaks) == scenes["sequence"].nunique() == 12


def test_the_rise_slows_down_towards_the_peak() -> None:
    shares = rise(6)
    assert shares == pytest.approx([0, 0.36, 0.64, 0.84, 0.96, 1])
    steps = np.diff(shares)
    assert (np.diff(steps) < 0).all()


def test_nothing_else_changes_within_a_sequence(scenes: pd.DataFrame) -> None:
    changing = {"sample_id", "number", "frame", "intensity"}
    same = scenes.drop(columns=list(changing)).groupby("sequence").nunique(dropna=False)
    assert (same == 1).all(axis=None)
    assert scenes["seed"].nunique() == scenes["sequence"].nunique()


def test_rows_are_those_of_a_recorded_set_without_neutral_labels_and_partitions(scenes: pd.DataFrame) -> None:
    table = rows(NAME, scenes)
    assert table["partition"].isna().all()
    assert not table.duplicated(["sequence", "frame"]).any()
    assert (table.groupby("sequence")[["subject", "expression"]].nunique() == 1).all(axis=None)
    shown = table[table["frame"] == 6]["expression"].value_counts()
    assert shown.to_dict() == {name: 2 for name in BASIC_EXPRESSIONS if name != "neutral"}


def test_the_face_moves_away_from_its_neutral_frame_and_the_background_stays(tiny_sequences: TinyFaces) -> None:
    scenes, store = tiny_sequences.scenes, tiny_sequences.store
    for _, sequence in list(scenes.groupby("sequence"))[:4]:
        images = [store.image(int(row)).astype(int) for row in store.rows_of(sequence["sample_id"])]
        moved = [float(np.abs(image - images[0]).mean()) for image in images]
        assert moved[0] == 0
        assert all(one < next_one for one, next_one in pairwise(moved))
        corners = [image[:6, (*range(6), *range(-6, 0))] for image in images]
        assert max(int(np.abs(corner - corners[0]).max()) for corner in corners) <= 3  # the camera's exposure follows


def test_one_frame_is_no_sequence(config: SyntheticConfig) -> None:
    sizes = config.sequences.model_dump() | {"frames": 1}
    with pytest.raises(ValidationError, match="frames"):
        SyntheticConfig.model_validate(config.model_dump() | {"sequences": sizes})
