import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaError

from openfer import schema_columns
from openfer.schemas import FEATURES, SPLIT

FOLDS = pd.DataFrame({"sample_id": list("abcabc"), "fold": [0, 0, 0, 1, 1, 1], "role": ["train", "val", "test"] * 2})


@pytest.fixture(params=["own numbers", "one number for all"])
def numbered(request, monkeypatch):
    """A split holds the same whether or not different rows happen to have one number."""
    if request.param == "one number for all":
        monkeypatch.setattr(pd.util, "hash_pandas_object", lambda part, **_: pd.Series(np.zeros(len(part), np.uint64)))


@pytest.mark.usefixtures("numbered")
@pytest.mark.parametrize("at_once", [1, 4, 100])
def test_a_sample_may_be_in_several_folds_and_in_each_of_them_once(at_once, monkeypatch):
    monkeypatch.setattr(schema_columns, "_AT_ONCE", at_once)
    assert SPLIT.validate(FOLDS).equals(FOLDS)
    assert SPLIT.validate(FOLDS[:0]).empty
    with pytest.raises(SchemaError, match="no two rows have the same sample_id and fold"):
        SPLIT.validate(FOLDS.assign(fold=[0, 0, 0, 1, 1, 0]))


FEATURE_TABLE = pd.DataFrame({"sample_id": ["a", "b"], "y_true": ["fear", "anger"], "f0": [1.0, 2.0], "f1": [3, 4]})


def test_features_are_read_in_single_precision():
    made = FEATURES.validate(FEATURE_TABLE)
    assert made.equals(FEATURE_TABLE.astype({"f0": np.float32, "f1": np.float32}))


@pytest.mark.parametrize(
    "changes",
    [{"f1": [1.0, np.nan]}, {"f1": ["1", "2"]}, {"g1": [1.0, 2.0]}, {"f1x": [1.0, 2.0]}, {"sample_id": ["a", "a"]}],
)
def test_other_columns_nulls_and_words_are_no_features(changes):
    with pytest.raises(SchemaError):
        FEATURES.validate(FEATURE_TABLE.assign(**changes))
