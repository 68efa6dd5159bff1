"""From rows, faces and splits to what is trained on."""

import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.pipelines.training_data import sources


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
    first, second = (sources(tables, fold)[0] for fold in (0, 1))
    assert set(first.role("test")["sample_id"]) == set(second.role("train")["sample_id"])
    assert len(first.role("test")) + len(first.role("train")) == 56


def test_a_fold_that_does_not_exist_is_named_with_those_that_do(tables):
    with pytest.raises(DataError, match=r"has no fold 2, its folds are 0, 1; set the method's fold"):
        sources(tables, 2)
