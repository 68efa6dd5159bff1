"""Rows that do not fit their schema are named, whatever the reader."""

import pandas as pd
import pytest

from openfer.datasets.checked import checked_rows
from openfer.errors import DataError

ROWS = {"sample_id": ["1", "2", "3"], "dataset": "mine", "path": ["a.png", "b.png", "c.png"], "licence": "none"}


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("valence", [0, 5, -7], "holds 5 in valence, of b.png (2 of 3 rows do not fit): the rule is in_range(-1, 1)"),
        ("valence", [0, "high", 1], "holds 'high' in valence, of b.png (1 of 3 rows do not fit): valence is a number"),
        ("frame", [None, 1, 1.5], "holds 1.5 in frame, of c.png (1 of 3 rows do not fit): a frame is a whole number"),
        ("expression", [None, "joy", "fear"], "holds 'joy' in expression, of b.png (1 of 3 rows"),
        ("landmarks", [None, [1, 2], [1, 2, 3, 4]], "holds [1, 2] in landmarks, of b.png (1 of 3 rows"),
        (
            "landmarks",
            [float("nan"), [1, 2, 3, 4], [1, 2, 3]],
            "holds [1, 2, 3] in landmarks, of c.png (1 of",
        ),
        ("licence", ["mit", None, "mit"], "holds None in licence, of b.png (1 of 3 rows do not fit): licence may not"),
        ("sample_id", ["1", "2", "2"], "in sample_id, of b.png (2 of 3 rows"),
    ],
)
def test_a_value_that_does_not_fit_is_named(column: str, values: list, words: str) -> None:
    with pytest.raises(DataError) as error:
        checked_rows(pd.DataFrame(ROWS).assign(**{column: pd.Series(values, dtype=object)}), "mine (/raw)")
    assert str(error.value).startswith("mine (/raw) holds ")
    assert words in str(error.value)
    assert str(error.value).endswith("correct the list or the options that this value comes from")


def test_rows_that_fit_are_completed() -> None:
    assert checked_rows(pd.DataFrame(ROWS), "mine (/raw)")["expression"].isna().all()
