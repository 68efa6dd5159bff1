import math

import numpy as np
import pandas as pd
import pytest

from openfer.evaluation.distances import class_distances
from openfer.evaluation.predictions import features_table


def table(points, labels):
    return features_table([f"s{number}" for number in range(len(labels))], np.array(points, np.float32), labels)


def test_two_classes_by_hand():
    found = class_distances(table([[0, 1], [0, -1], [4, 2], [4, -2], [4, 0]], ["a", "a", "b", "b", "b"]))
    found = found.set_index("class")
    assert found.loc["a"].tolist() == pytest.approx([2, 1, 4, 0.25])
    assert found.loc["b"].tolist() == pytest.approx([3, 4 / 3, 4, 1 / 3])
    assert found.loc["all"].tolist() == pytest.approx([5, (2 * 1 + 3 * 4 / 3) / 5, 4, 0.3])


def test_three_classes_against_loops():
    draw = np.random.default_rng(0)
    points, labels = draw.normal(size=(30, 5)), [f"c{number % 3}" for number in range(30)]
    found = class_distances(table(points, labels)).set_index("class")
    points = points.astype(np.float32)
    centres = {
        name: np.mean([p for p, own in zip(points, labels, strict=True) if own == name], 0)
        for name in ["c0", "c1", "c2"]
    }
    for name, centre in centres.items():
        own = [math.dist(p, centre) for p, label in zip(points, labels, strict=True) if label == name]
        others = [math.dist(centre, other) for key, other in centres.items() if key != name]
        assert found.loc[name, "within"] == pytest.approx(np.mean(own), rel=1e-5)
        assert found.loc[name, "between"] == pytest.approx(np.mean(others), rel=1e-5)


def test_the_ratio_does_not_depend_on_the_scale_of_features():
    draw = np.random.default_rng(1)
    points, labels = draw.normal(size=(20, 4)), ["a", "b"] * 10
    one, other = class_distances(table(points, labels)), class_distances(table(50 * points, labels))
    pd.testing.assert_series_equal(one["ratio"], other["ratio"], rtol=1e-4)


def test_one_class_has_no_distance_to_others():
    found = class_distances(table([[0.0], [1.0]], ["a", "a"]))
    assert found["within"].tolist() == [0.5, 0.5]
    assert found[["between", "ratio"]].isna().all(axis=None)
