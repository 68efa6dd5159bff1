"""From rows, faces and splits to what is trained on."""

import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.pipelines.extras import extra_array
from openfer.pipelines.sources import Source, data_version, faces_for
from openfer.training.config import ImageSettings


@pytest.fixture
def tables(tiny_faces):
    rows = tiny_faces.scenes[["sample_id", "dataset", "expression"]]
    names = rows["sample_id"].to_numpy()
    folds = [
        pd.DataFrame(
            {"sample_id": names, "fold": fold, "role": ["test" if i % 2 == fold else "train" for i in range(56)]}
        )
        for fold in (0, 1)
    ]
    return rows, tiny_faces.store, pd.concat(folds, ignore_index=True)


def test_one_fold_of_a_split_is_trained_and_tested(tables):
    first, second = (Source(*tables).in_fold(fold) for fold in (0, 1))
    assert set(first.role("test")["sample_id"]) == set(second.role("train")["sample_id"])
    assert len(first.role("test")) + len(first.role("train")) == 56


def test_a_fold_that_does_not_exist_is_named_with_those_that_do(tables):
    with pytest.raises(DataError, match=r"has no fold 2, its folds are 0, 1; set the method's fold"):
        Source(*tables).in_fold(2)


def landmarks_of(store):
    return store.table(["sample_id", "points68", "confidence68"])


def test_landmarks_are_found_by_name_whatever_their_order(tiny_faces):
    table = landmarks_of(tiny_faces.store)
    wanted = table["sample_id"].iloc[[5, 2]].reset_index(drop=True)
    found = extra_array("landmarks", table.sample(frac=1, random_state=0), wanted)
    assert found.shape == (2, 68, 3)
    for place, row in enumerate((5, 2)):
        assert (found[place, :, :2].ravel() == table["points68"].iloc[row]).all()
        assert (found[place, :, 2] == table["confidence68"].iloc[row]).all()


def test_faces_without_landmarks_are_named_with_the_command_that_finds_them(tiny_faces):
    table = landmarks_of(tiny_faces.store)
    with pytest.raises(DataError, match=r"2 of 3 faces have no landmarks.*kedro run --pipelines landmarks --params"):
        extra_array("landmarks", table.iloc[2:], table["sample_id"].head(3))


def test_extras_go_with_their_dataset_and_into_its_version(tables, tiny_faces):
    table = landmarks_of(tiny_faces.store)
    moved = table.assign(points68=[points + 1 for points in table["points68"]])
    kinds = ({}, {"landmarks": table}, {"landmarks": moved})
    plain, seeing, other = ([Source(*tables, extras=extras).in_fold(0)] for extras in kinds)
    versions = [data_version(data) for data in (plain, seeing, other)]
    assert len(set(versions)) == 3
    faces = faces_for(seeing, "train", {}, ImageSettings(crop=64), 0)
    assert (faces.extras["landmarks"] == extra_array("landmarks", table, seeing[0].role("train")["sample_id"])).all()
    assert faces_for(plain, "train", {}, ImageSettings(crop=64), 0).extras == {}
