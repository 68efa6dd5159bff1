from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError, ParameterError
from openfer.protocols import duplicates
from openfer.protocols.duplicates import duplicate_pairs


def table(hashes, files=None):
    names = [f"i{number:04d}" for number in range(len(hashes))]
    files = [f"file-{name}" for name in names] if files is None else files
    return pd.DataFrame({"sample_id": names, "sha256": files, "perceptual_hash": hashes})


def planted(count, digits, seed, likeness=0.5):
    """Random hashes, some of them copies of others with a few bits turned."""
    generator = np.random.default_rng(seed)
    bits = generator.random((count, digits * 4)) < likeness
    for copy in range(count // 2):
        bits[copy] = bits[generator.integers(count)]
        bits[copy, generator.integers(digits * 4, size=generator.integers(0, 30))] ^= True
    return [np.packbits(row).tobytes().hex() for row in bits]


def naive(hashes, radius):
    values = [int(text, 16) for text in hashes]
    return {
        (f"i{one:04d}", f"i{other:04d}", (values[one] ^ values[other]).bit_count())
        for one, other in combinations(range(len(values)), 2)
        if (values[one] ^ values[other]).bit_count() <= radius
    }


def as_set(pairs):
    return {tuple(row) for row in pairs.itertuples(index=False)}


@pytest.mark.parametrize("radius", [0, 1, 2, 7, 15, 22, 40])
@pytest.mark.parametrize("digits", [64, 16])
def test_near_pairs_are_those_of_comparing_everything(radius, digits):
    for seed in range(3):
        hashes = planted(120, digits, seed, likeness=(0.5, 0.9, 0.02)[seed])
        pairs = duplicate_pairs(table(hashes), radius)
        assert len(as_set(pairs)) == len(pairs)
        assert as_set(pairs) == naive(hashes, radius)


def test_nothing_is_missed_when_pairs_are_compared_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(duplicates, "_CANDIDATES", 50)
    hashes = planted(150, 64, seed=5, likeness=0.8)
    assert as_set(duplicate_pairs(table(hashes), 22)) == naive(hashes, 22)


def test_equal_files_are_found_without_a_perceptual_hash():
    found = duplicate_pairs(table([None] * 5, ["a", "b", "a", None, "a"]), 22)
    assert as_set(found) == {("i0000", "i0002", 0), ("i0000", "i0004", 0), ("i0002", "i0004", 0)}


def test_a_pair_that_is_equal_and_near_is_given_once():
    hashes = ["00" * 32, "00" * 32, "00" * 31 + "01"]
    found = duplicate_pairs(table(hashes, ["a", "a", "b"]), 4)
    assert as_set(found) == {("i0000", "i0001", 0), ("i0000", "i0002", 1), ("i0001", "i0002", 1)}


def test_without_a_radius_only_equal_files_count():
    assert as_set(duplicate_pairs(table(["00" * 32] * 3, ["a", "b", "b"]), None)) == {("i0001", "i0002", 0)}


def test_pairs_do_not_depend_on_the_order_of_the_hashes():
    hashes = table(planted(100, 64, seed=1))
    shuffled = hashes.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(duplicate_pairs(hashes, 22), duplicate_pairs(shuffled, 22))


def test_no_hashes_give_an_empty_table():
    found = duplicate_pairs(table([]), 22)
    assert list(found) == ["sample_id_1", "sample_id_2", "distance"]
    assert found.empty


def test_a_flood_of_blank_images_is_an_error_that_says_what_they_are(monkeypatch):
    monkeypatch.setattr(duplicates, "_MOST_PAIRS", 1000)
    with pytest.raises(DataError, match=r"more than 1,000 pairs .* perceptual hashes: many are blank"):
        duplicate_pairs(table(["00" * 32] * 50), 22)
    with pytest.raises(DataError, match="equal files"):
        duplicate_pairs(table([None] * 50, ["a"] * 50), None)


def test_hashes_of_two_versions_are_not_compared():
    with pytest.raises(DataError, match="16 to 64 digits"):
        duplicate_pairs(table(["00" * 32, "00" * 8]), 22)


def test_a_negative_radius_is_a_parameter_error():
    with pytest.raises(ParameterError, match="near_duplicate_bits is -1"):
        duplicate_pairs(table(["00" * 32]), -1)
