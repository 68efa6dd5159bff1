"""Which samples a stage shows: drawn from names alone."""

import numpy as np
import pytest
from pydantic import ValidationError

from openfer.methods.contract import MISSING, AllSamples, BalancedSubset, Schedule
from openfer.training.sampling import Sampler

LABELS = np.array([0] * 30 + [1] * 12 + [2] * 5 + [MISSING] * 9)[np.random.default_rng(0).permutation(56)]


def balanced(per_class, seed=0, stage="one"):
    return Sampler(BalancedSubset(per_class=per_class), LABELS, seed, stage)


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
    sampler = Sampler(AllSamples(), LABELS, 0, "one")
    assert sorted(sampler.order(0)) == list(range(len(LABELS)))


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="balanced_subset"):
        Schedule.model_validate({"epochs": 1, "batch_size": 2, "learning_rate": 1, "sampling": {"kind": "balanced"}})
