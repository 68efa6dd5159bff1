import numpy as np
import pandas as pd
import pytest

from openfer.protocols import contents
from openfer.protocols.contents import alphabetical, content_numbers, people_numbers, places

HASHES = {"anna": "ff", "ben": "0a", "cem": "ff", "dora": None}


@pytest.mark.parametrize("sha256", [HASHES, pd.Series(HASHES, dtype=object), pd.Series(HASHES, dtype=str)])
def test_equal_contents_have_equal_numbers_in_the_order_of_the_hashes(sha256):
    names = pd.Series(["cem", "nobody", "ben", "anna", "dora", "ben"])
    assert content_numbers(names, sha256).tolist() == [1, -1, 0, 1, -1, 0]


def test_nobody_has_no_number():
    assert content_numbers(pd.Series(["anna"]), {}).tolist() == [-1]
    assert content_numbers(pd.Series([], dtype=str), HASHES).dtype == np.int64


def test_numbers_that_stand_for_contents_are_kept():
    numbers = pd.Series([5, 2], index=["anna", "ben"])
    assert content_numbers(pd.Series(["ben", "nobody", "anna"]), numbers).tolist() == [2, -1, 5]


@pytest.mark.parametrize("kind", [object, str, "category"])
def test_people_are_numbered_by_dataset_and_subject_in_the_alphabet(kind):
    table = [("b", "1"), ("a", "2"), ("b", None), ("a", "10"), ("b", "1"), ("a", "1")]
    rows = pd.DataFrame(table, columns=["dataset", "subject"]).astype(kind)
    words = [f"{dataset}/{subject}" for dataset, subject in table if subject]
    rank = {word: place for place, word in enumerate(sorted(set(words)))}
    assert people_numbers(rows).tolist() == [rank.get(f"{dataset}/{subject}", -1) for dataset, subject in table]


def test_where_no_subject_is_known_nobody_is_numbered():
    rows = pd.DataFrame({"dataset": ["a", "a"], "subject": pd.Series([None, None], dtype="category")})
    assert people_numbers(rows).tolist() == [-1, -1]


def test_names_are_put_in_the_order_of_code_points_and_equal_ones_stay_as_they_come():
    names = ["b", "\u00e9", "B", "b", "a\U0001f600", "a\uffff"]
    assert alphabetical(pd.Series(names)).tolist() == sorted(range(6), key=names.__getitem__)


@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize("kind", [object, str, "category"])
def test_names_are_found_where_they_first_stand(at_once, kind, monkeypatch):
    monkeypatch.setattr(contents, "_SMALLEST", at_once)
    known = pd.Series(["ben", "anna", "cem", "anna", "dora"], dtype=kind)
    assert places(pd.Series(["anna", "dora", "eve", "ben", "anna"], dtype=kind), known).tolist() == [1, 4, -1, 0, 1]
    assert places(pd.Series([], dtype=kind), known).tolist() == []
    assert places(known, pd.Series([], dtype=kind)).tolist() == [-1] * 5
