import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.labels import EXPRESSIONS
from openfer.protocols.labelling import MISSING, label_indices, vote_counts, with_attribute_columns


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


def test_attributes_are_present_absent_or_unknown_one_column_each():
    rows = pd.DataFrame(
        {"attributes": [["Bald", "Young"], None, [], np.array(["Young"], dtype=object)]}, index=[3, 1, 2, 0]
    )
    found = with_attribute_columns(rows, ["gender", "attribute/Bald", "attribute/Young", "attribute/Bangs"])
    assert list(found.columns) == ["attributes", "attribute/Bald", "attribute/Young", "attribute/Bangs"]
    known = found.astype(object).where(found.notna(), None)
    assert known["attribute/Bald"].tolist() == ["present", None, "absent", "absent"]
    assert known["attribute/Young"].tolist() == ["present", None, "absent", "present"]
    assert known["attribute/Bangs"].tolist() == ["absent", None, "absent", "absent"]


def test_votes_are_those_for_the_classes_in_their_order():
    votes = pd.Series([np.arange(8), None], dtype=object)
    found = vote_counts(pd.DataFrame({"votes": votes}), (EXPRESSIONS[3], EXPRESSIONS[1]))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[3, 1], [0, 0]])


def test_rows_without_any_vote_are_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"none of the 2 training rows has votes.*set it to class"):
        vote_counts(pd.DataFrame({"votes": [None, None]}), EXPRESSIONS)


def test_rows_without_any_attribute_have_none_that_is_known():
    rows = pd.DataFrame({"attributes": [None, None]})
    assert with_attribute_columns(rows, ["attribute/Bald"])["attribute/Bald"].isna().all()
    assert with_attribute_columns(rows, ["expression"]) is rows
