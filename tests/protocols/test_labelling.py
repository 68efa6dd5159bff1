import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.protocols.labelling import MISSING, label_indices


def test_labels_become_their_position_in_the_class_tuple_and_missing_ones_minus_one():
    rows = pd.DataFrame({"expression": ["fear", None, "neutral", "fear"]})
    indices = label_indices(rows, "expression", ("neutral", "happiness", "fear"))
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, [2, MISSING, 0, 2])


def test_a_column_without_any_label_is_all_missing():
    rows = pd.DataFrame({"age": pd.Series([None, None], dtype="string")})
    np.testing.assert_array_equal(label_indices(rows, "age", ("0-3", "4-19")), [MISSING, MISSING])


def test_an_unknown_label_is_an_error_that_names_and_counts_it():
    rows = pd.DataFrame({"expression": ["contempt", "neutral", "contempt"]})
    with pytest.raises(DataError, match=r"2 labels of expression are not classes: contempt \(2 rows\)"):
        label_indices(rows, "expression", ("neutral", "fear"))


def test_an_unknown_task_is_an_error_that_lists_the_columns():
    with pytest.raises(DataError, match=r"no column 'hat', they have \['pose'\]"):
        label_indices(pd.DataFrame({"pose": ["yaw+0"]}), "hat", ("yaw+0",))
