import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaError

from openfer import schemas
from openfer.schemas import SPLIT

FOLDS = pd.DataFrame({"sample_id": list("abcabc"), "fold": [0, 0, 0, 1, 1, 1], "role": ["train", "val", "test"] * 2})


@pytest.fixture(params=["own numbers", "one number for all"])
def numbered(request, monkeypatch):
    """A split holds the same whether or not different rows happen to have one number."""
    if request.param == "one number for all":
        monkeypatch.setattr(pd.util, "hash_pandas_object", lambda part, **_: pd.Series(np.zeros(len(part), np.uint64)))


@pytest.mark.usefixtures("numbered")
@pytest.mark.parametrize("at_once", [1, 4, 100])
def test_a_sample_may_be_in_several_folds_and_in_each_of_them_once(at_once, monkeypatch):
    monkeypatch.setattr(schemas, "_AT_ONCE", at_once)
    assert SPLIT.validate(FOLDS).equals(FOLDS)
    assert SPLIT.validate(FOLDS[:0]).empty
    with pytest.raises(SchemaError, match="no two rows have the same sample_id and fold"):
        SPLIT.validate(FOLDS.assign(fold=[0, 0, 0, 1, 1, 0]))
