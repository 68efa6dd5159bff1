import math

import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.groups import accuracy_by_group, together
from openfer.evaluation.predictions import predictions_table
from openfer.schemas import group_table

CLASSES = ("neutral", "happiness")


def predictions(right, seed=0):
    shares = np.array([[0.9, 0.1] if hit else [0.2, 0.8] for hit in right])
    names = [f"s{number}" for number in range(len(right))]
    run = {"fold": 0, "seed": seed, "method": "oadn", "variant": "oadn", "selection": "last", "task": "expression"}
    return predictions_table(names, shares, CLASSES, ["neutral"] * len(right), **run)


def wilson(hits, n, z=1.959963984540054):
    """The interval of Wilson (1927), written out."""
    share, middle = hits / n, (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(n * share * (1 - share) + z * z / 4)
    return middle - half, middle + half


GROUPS = group_table(
    {
        ("occluder", "none"): ["s0", "s1", "s2"],
        ("occluder", "mask"): ["s3"],
        ("occluder", "hand"): ["elsewhere"],
        ("challenge", "pose30"): ["s0", "s3"],
    }
)


def test_every_group_has_n_accuracy_and_wilson_s_interval():
    table = accuracy_by_group(predictions([True, True, False, False]), GROUPS).set_index(["by", "group"])
    assert list(table.index) == [("all", "all"), ("occluder", "none"), ("occluder", "mask"), ("challenge", "pose30")]
    assert table["n"].tolist() == [4, 3, 1, 2]
    assert table["accuracy"].tolist() == pytest.approx([1 / 2, 2 / 3, 0, 1 / 2])
    for row, (hits, n) in zip(table.itertuples(), [(2, 4), (2, 3), (0, 1), (1, 2)], strict=True):
        assert (row.low, row.high) == pytest.approx(wilson(hits, n), abs=1e-9)
    assert table.loc[("occluder", "mask"), "high"] > 0.75  # one sample says nearly nothing


def test_runs_stay_apart():
    both = pd.concat([predictions([True] * 4, seed=0), predictions([False] * 4, seed=1)])
    table = accuracy_by_group(both, GROUPS)
    assert table.groupby("seed")["accuracy"].agg(["min", "max"]).to_numpy().tolist() == [[1, 1], [0, 0]]


def test_a_set_without_groups_is_reported_as_a_whole():
    table = accuracy_by_group(predictions([True, False]), group_table({}))
    assert table[["by", "group", "n", "accuracy"]].to_numpy().tolist() == [["all", "all", 2, 0.5]]


def test_a_sample_twice_in_a_run_is_refused():
    one = predictions([True, False])
    with pytest.raises(DataError, match="predicted more than once"):
        accuracy_by_group(pd.concat([one, one.assign(fold=1)]), GROUPS)


def test_groups_of_several_datasets_say_whose_they_are():
    own = group_table({("challenge", "pose30"): ["s0"]})
    pd.testing.assert_frame_equal(together({"raf": own}), own)
    assert together({"raf": own, "affectnet": own})["group"].tolist() == ["raf: pose30", "affectnet: pose30"]


def test_each_of_several_datasets_is_a_group_and_one_alone_is_the_whole():
    table = predictions([True, True, False, False]).assign(dataset=["raf", "raf", "raf", "fed_ro"])
    found = accuracy_by_group(table, group_table({})).set_index(["by", "group"])
    assert found["n"].to_dict() == {("all", "all"): 4, ("dataset", "raf"): 3, ("dataset", "fed_ro"): 1}
    assert found.loc[("dataset", "raf"), "accuracy"] == pytest.approx(2 / 3)
    assert list(accuracy_by_group(table.assign(dataset="raf"), group_table({}))["by"]) == ["all"]
