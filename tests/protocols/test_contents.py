import numpy as np
import pandas as pd
import pytest

from openfer.protocols.contents import content_numbers

HASHES = {"anna": "ff", "ben": "0a", "cem": "ff", "dora": None}


@pytest.mark.parametrize("sha256", [HASHES, pd.Series(HASHES, dtype=object), pd.Series(HASHES, dtype=str)])
def test_equal_contents_have_equal_numbers_in_the_order_of_the_hashes(sha256):
    names = pd.Series(["cem", "nobody", "ben", "anna", "dora", "ben"])
    assert content_numbers(names, sha256).tolist() == [1, -1, 0, 1, -1, 0]


def test_nobody_has_no_number():
    assert content_numbers(pd.Series(["anna"]), {}).tolist() == [-1]
    assert content_numbers(pd.Series([], dtype=str), HASHES).dtype == np.int64
