import numpy as np
import pytest

from openfer.evaluation.statistics import holm, paired_bootstrap, resampled_means


def by_person(differences, person, repeats=1000):
    (replicates,) = resampled_means(differences[None], person, repeats)
    return paired_bootstrap(float(differences.mean()), replicates, int(person.max()) + 1)


def test_holm_multiplies_the_smallest_by_all_the_next_by_one_less_and_keeps_their_order():
    # .01 * 4 = .04; .02 * 3 = .06; .03 * 2 = .06; .9 * 1
    np.testing.assert_allclose(holm([0.03, 0.01, 0.9, 0.02]), [0.06, 0.04, 0.9, 0.06])


def test_holm_never_falls_below_a_smaller_one_nor_above_one():
    np.testing.assert_allclose(holm([0.04, 0.041, 0.6, 0.7]), [0.16, 0.16, 1, 1])
    assert holm([0.2]).tolist() == [0.2]
    assert holm([]).tolist() == []


def test_the_interval_of_a_paired_difference_is_scipy_s_over_people():
    from scipy.stats import bootstrap

    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 8, 60)
    person = np.repeat(np.arange(60), sizes)
    differences = generator.choice([-1, 0, 1], len(person), p=[0.1, 0.7, 0.2]).astype(float)
    sums = np.bincount(person, differences)
    theirs = bootstrap(
        (sums, sizes),
        lambda total, count, axis: total.sum(axis) / count.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    found = by_person(differences, person, repeats=20_000)
    assert found.people == 60
    assert found.standard_error == pytest.approx(theirs.standard_error, rel=0.03)
    bounds = theirs.confidence_interval
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high), abs=0.005)


def test_the_probability_by_people_with_one_image_each_is_that_of_a_paired_t_test():
    from scipy.stats import ttest_1samp

    differences = np.random.default_rng(3).choice([-1.0, 0, 1], 400, p=[0.1, 0.75, 0.15])
    found = by_person(differences, np.arange(400), repeats=20_000)
    assert found.p_value == pytest.approx(ttest_1samp(differences, 0).pvalue, rel=0.1)


def test_one_person_proves_nothing():
    found = by_person(np.ones(10), np.zeros(10, np.int64))
    assert (found.people, found.p_value) == (1, 1)


def test_no_difference_is_no_evidence():
    found = by_person(np.zeros(10), np.arange(10))
    assert (found.standard_error, found.p_value) == (0, 1)


def test_all_rows_are_resampled_alike():
    generator = np.random.default_rng(5)
    values, person = generator.integers(0, 2, (3, 40)).astype(float), np.repeat(np.arange(10), 4)
    found = resampled_means(values, person, 50)
    assert found.shape == (3, 50)
    for row, alone in zip(found, values, strict=True):
        np.testing.assert_array_equal(row, resampled_means(alone[None], person, 50)[0])
    np.testing.assert_allclose(found[0] - found[1], resampled_means((values[0] - values[1])[None], person, 50)[0])
