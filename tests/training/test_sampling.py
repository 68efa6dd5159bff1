"""Which samples a stage shows: drawn from names alone."""

import numpy as np
import pytest
from pydantic import ValidationError

from openfer.errors import ParameterError
from openfer.methods.contract import (
    MISSING,
    AllSamples,
    BalancedBatches,
    BalancedSubset,
    ByDataset,
    Oversampled,
    Schedule,
    WeightedSamples,
)
from openfer.training.sampling import Sampler

LABELS = np.array([0] * 30 + [1] * 12 + [2] * 5 + [MISSING] * 9)[np.random.default_rng(0).permutation(56)]


def balanced(per_class, seed=0, stage="one"):
    return Sampler(BalancedSubset(per_class=per_class), LABELS, seed, stage, 8)


@pytest.mark.parametrize(("per_class", "counts"), [(4, [4, 4, 4]), (10, [10, 10, 5]), (100, [30, 12, 5])])
def test_a_balanced_subset_holds_as_many_of_each_class_as_there_are_up_to_the_limit(per_class, counts):
    sampler = balanced(per_class)
    order = sampler.order(0)
    assert len(sampler) == len(order) == len(set(order)) == sum(counts)
    assert np.bincount(LABELS[order]).tolist() == counts


def test_all_epochs_of_a_stage_show_the_same_subset_in_another_order():
    first, second = balanced(4).order(0), balanced(4).order(1)
    assert set(first) == set(second)
    assert list(first) != list(second)


def test_every_stage_and_seed_draws_a_subset_of_its_own_and_the_same_one_again():
    subsets = [frozenset(balanced(4, *names).order(0)) for names in ((0, "one"), (0, "two"), (1, "one"))]
    assert len(set(subsets)) == 3
    assert frozenset(balanced(4).order(0)) == subsets[0]
    assert list(balanced(4).order(3)) == list(balanced(4).order(3))


def test_without_a_rule_every_sample_is_shown_also_those_without_a_label():
    sampler = Sampler(AllSamples(), LABELS, 0, "one", 8)
    assert sorted(sampler.order(0)) == list(range(len(LABELS)))


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="balanced_subset"):
        Schedule.model_validate({"epochs": 1, "batch_size": 2, "learning_rate": 1, "sampling": {"kind": "balanced"}})


def test_a_balanced_batch_shows_each_class_equally_often_and_an_epoch_is_as_long_as_the_data():
    sampler = Sampler(BalancedBatches(), LABELS, 0, "one", 9)
    order = sampler.order(0)
    assert len(order) == len(sampler) == 47 // 9 * 9  # 47 are labelled
    for batch in order.reshape(-1, 9):
        assert np.bincount(LABELS[batch]).tolist() == [3, 3, 3]
    assert list(order) == list(Sampler(BalancedBatches(), LABELS, 0, "one", 9).order(0))
    assert list(order) != list(sampler.order(1))


def test_of_a_class_each_sample_is_shown_before_one_is_shown_again():
    shown = Sampler(BalancedBatches(), LABELS, 0, "one", 9).order(3)
    times = np.bincount(shown, minlength=len(LABELS))
    assert set(times[LABELS == 2]) == {3}  # five samples for fifteen places
    assert set(times[LABELS == 1]) == {1, 2}
    assert set(times[LABELS == 0]) == {0, 1}
    assert not times[LABELS == MISSING].any()


def test_fewer_samples_than_a_batch_still_make_one():
    assert len(Sampler(BalancedBatches(), np.array([0, 1, 1]), 0, "one", 8).order(0)) == 8


@pytest.mark.parametrize(
    ("labels", "message"),
    [(LABELS, r"batches of 10, which cannot show 3 classes .* multiple of 3, such as 9"), (LABELS * 0 - 1, "labelled")],
)
def test_batches_that_cannot_be_balanced_are_refused(labels, message):
    with pytest.raises(ParameterError, match=message):
        Sampler(BalancedBatches(), labels, 0, "one", 10)


def test_weighted_samples_make_all_classes_count_the_same():
    sampler = Sampler(WeightedSamples(), LABELS, 0, "one", 8)
    sums = [sampler.weights[label == LABELS].sum() for label in range(3)]
    assert sums == pytest.approx([47 / 3] * 3)
    assert set(sampler.weights[LABELS == MISSING]) == {1.0}
    assert sorted(sampler.order(0)) == list(range(len(LABELS)))
    assert balanced(4).weights is None


def test_oversampling_draws_every_class_equally_often_with_replacement_and_as_many_as_are_labelled():
    sampler = Sampler(Oversampled(), LABELS, 0, "one", 8)
    orders = [sampler.order(epoch) for epoch in range(200)]
    assert {len(order) for order in orders} == {len(sampler)} == {47}
    shares = np.bincount(LABELS[np.concatenate(orders)]) / (200 * 47)
    np.testing.assert_allclose(shares, 1 / 3, atol=4 * np.sqrt(2 / 9 / (200 * 47)))  # four standard errors
    assert len(set(orders[0][LABELS[orders[0]] == 2])) < (LABELS[orders[0]] == 2).sum()


def test_oversampling_takes_a_sample_as_often_as_one_over_its_classs_count_says():
    sampler = Sampler(Oversampled(), LABELS, 0, "one", 8)
    times = np.bincount(np.concatenate([sampler.order(epoch) for epoch in range(400)]), minlength=len(LABELS))
    assert not times[LABELS == MISSING].any()
    for label, count in enumerate([30, 12, 5]):
        expected = 400 * 47 / 3 / count
        np.testing.assert_allclose(times[label == LABELS], expected, atol=5 * np.sqrt(expected))


def test_epochs_seeds_and_stages_oversample_differently_and_each_the_same_again():
    names = [(0, "one", 0), (0, "one", 1), (1, "one", 0), (0, "two", 0)]
    orders = [tuple(Sampler(Oversampled(), LABELS, seed, stage, 8).order(epoch)) for seed, stage, epoch in names * 2]
    assert len(set(orders)) == 4
    assert orders[:4] == orders[4:]


def test_nothing_to_oversample_is_refused():
    with pytest.raises(ParameterError, match=r"kind: oversampled.*but no training sample is labelled"):
        Sampler(Oversampled(), LABELS * 0 - 1, 0, "one", 8)


def test_no_class_to_take_a_subset_of_is_refused():
    with pytest.raises(ParameterError, match=r"stage one wants sampling: \{kind: balanced_subset\}, but no training"):
        Sampler(BalancedSubset(per_class=3), LABELS * 0 - 1, 0, "one", 8)


DATASETS = np.array(["multi_pie"] * 300 + ["raf_db"] * 20, dtype=object)


def by_dataset(**ratio):
    labels = np.full(len(DATASETS), MISSING)  # DFEM's first factor is not labelled in Multi-PIE
    return Sampler(ByDataset(ratio=ratio), labels, 0, "one", 16, DATASETS)


def test_every_batch_holds_the_stated_part_of_each_dataset_and_a_small_one_is_repeated():
    sampler = by_dataset(multi_pie=3, raf_db=1)
    order = sampler.order(0)
    assert len(order) == len(sampler) == 320
    of_raf_db = (DATASETS[order] == "raf_db").reshape(-1, 16).sum(axis=1)
    assert set(of_raf_db) == {4}
    times = np.bincount(order, minlength=320)
    assert set(times[300:]) == {4}
    assert times[:300].max() == 1
    assert list(order) != list(sampler.order(1))
    assert list(order) == list(by_dataset(multi_pie=3, raf_db=1).order(0))


def test_without_a_ratio_most_batches_lack_the_small_dataset():
    order = Sampler(AllSamples(), np.full(320, MISSING), 0, "one", 16, DATASETS).order(0)
    of_raf_db = (DATASETS[order] == "raf_db").reshape(-1, 16).sum(axis=1)
    assert (of_raf_db == 0).sum() > 5


def test_a_ratio_with_a_dataset_that_does_not_train_is_refused():
    with pytest.raises(ParameterError, match=r"ratio with mmi, of which no sample trains; .* of multi_pie, raf_db"):
        by_dataset(multi_pie=3, mmi=1)


def test_a_batch_that_the_ratio_does_not_divide_is_refused_with_one_that_it_does():
    ratio = {"multi_pie": 2, "raf_db": 1}
    with pytest.raises(ValidationError, match=r"batch_size is 16, which 3 parts .* a multiple, such as 15"):
        Schedule(epochs=1, batch_size=16, learning_rate=0.1, sampling={"kind": "by_dataset", "ratio": ratio})
