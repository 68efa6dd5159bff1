import math

import pytest
import torch

from openfer.losses.diversity import (
    diversity,
    diversity_of,
    over_channels,
    over_space,
    similarity_by_sample,
    similarity_matrix,
)
from openfer.losses.diversity_settings import DiversitySettings


def features(learners=4, samples=3, shape=(2, 3), dtype=torch.float64):
    return torch.rand(learners, samples, *shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def by_pairs(phi, gamma, distance, diagonal):
    count, samples = phi.shape[:2]
    found = torch.zeros(count, count, dtype=torch.float64)
    for one in range(count):
        for other in range(count):
            if one == other and diagonal == "code":
                continue
            for sample in range(samples):
                squares = [(a - b) ** 2 for a, b in zip(phi[one, sample].flatten(), phi[other, sample].flatten())]  # noqa: B905
                reduced = sum(squares) if distance == "sum" else sum(squares) / len(squares)
                found[one, other] += math.exp(-gamma * reduced) / samples
    return found


def uniform(learners, similarity, diagonal):
    matrix = torch.full((learners, learners), similarity, dtype=torch.float64)
    return matrix.fill_diagonal_(1.0 if diagonal == "paper" else 0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("diagonal", ["paper", "code"])
@pytest.mark.parametrize("distance", ["sum", "mean"])
def test_similarity_is_the_mean_over_samples_of_every_pair(distance, diagonal, dtype):
    phi = features(dtype=dtype)
    found = similarity_matrix(phi, 1.5, distance, diagonal)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), by_pairs(phi.double(), 1.5, distance, diagonal), rtol=1e-6, atol=1e-7)
    assert torch.equal(found, found.T)


def test_the_similarity_of_each_sample_averages_to_the_matrix():
    phi = features()
    torch.testing.assert_close(similarity_by_sample(phi, 2.0).mean(0), similarity_matrix(phi, 2.0))


@pytest.mark.parametrize("learners", [2, 4, 9, 15])
def test_the_determinant_is_one_for_learners_that_differ_fully_and_zero_for_equal_ones(learners):
    apart = 100.0 * torch.arange(learners, dtype=torch.float64)[:, None, None].expand(-1, 3, 8)
    equal = torch.rand(1, 3, 8, dtype=torch.float64).expand(learners, -1, -1)
    assert diversity(similarity_matrix(apart, 10.0)).item() == 1
    assert diversity(similarity_matrix(equal, 10.0)).item() == pytest.approx(0, abs=1e-12)
    assert diversity(similarity_matrix(apart, 10.0), "logdet").item() == pytest.approx(math.log(1.001))
    assert diversity(similarity_matrix(equal, 10.0), "logdet").item() < -4 * (learners - 1) / learners


@pytest.mark.parametrize("surrogate", ["det", "logdet"])
def test_the_determinant_of_two_learners_is_that_of_the_textbook(surrogate):
    found = diversity(uniform(2, 0.3, "paper"), surrogate).item()
    expected = 1 - 0.3**2 if surrogate == "det" else math.log(1.001**2 - 0.3**2) / 2
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("learners", [2, 3, 4, 5, 9, 15])
def test_the_public_codes_diagonal_rewards_an_odd_number_of_learners_for_being_alike(learners):
    for diagonal, expected in (("paper", 1.0), ("code", 0.0)):
        assert diversity(uniform(learners, 0.0, diagonal)).item() == expected
    alike = diversity(uniform(learners, 0.9, "code")).item()
    assert alike == pytest.approx((-1) ** (learners - 1) * (learners - 1) * 0.9**learners)
    assert (alike > 0) == (learners % 2 == 1)
    assert 0 < diversity(uniform(learners, 0.9, "paper")).item() < 1  # Eq. 2 says that they are not diverse

    # so one step up the gradient makes an odd number of learners more alike, and with Eq. 1 less
    for diagonal, grows in (("paper", False), ("code", learners % 2 == 1)):
        similarity = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
        off = 1 - torch.eye(learners, dtype=torch.float64)
        diversity(similarity * off + uniform(learners, 0.0, diagonal)).backward()
        assert (similarity.grad > 0) == grows


@pytest.mark.parametrize("surrogate", ["det", "logdet"])
def test_nearly_equal_learners_have_a_gradient_by_the_logarithm_alone(surrogate):
    phi = torch.rand(1, 3, 8).repeat(4, 1, 1) + 1e-3 * torch.rand(4, 3, 8, generator=torch.Generator().manual_seed(1))
    phi.requires_grad_()
    diversity(similarity_matrix(phi, 10.0, "mean"), surrogate).backward()
    assert (phi.grad.abs().max() > 1e-3) == (surrogate == "logdet")


@pytest.mark.parametrize("learners", range(2, 16))
@pytest.mark.parametrize("surrogate", ["det", "logdet"])
def test_under_autocast_everything_is_single_precision_and_finite(learners, surrogate):
    phi = torch.rand(learners, 4, 64, generator=torch.Generator().manual_seed(2)).bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        similarity = similarity_matrix(phi, 10.0, "mean")
        found = diversity(similarity, surrogate)
    assert similarity.dtype == found.dtype == torch.float32
    exact = diversity(similarity_matrix(phi.detach().double(), 10.0, "mean"), surrogate).item()
    assert found.item() == pytest.approx(exact, rel=1e-4)
    found.backward()
    assert phi.grad.isfinite().all()
    assert phi.grad.abs().max() > 0


def test_maps_are_pooled_to_what_and_to_where():
    maps = torch.arange(2 * 1 * 3 * 2 * 2, dtype=torch.float64).reshape(2, 1, 3, 2, 2)
    assert over_space(maps)[1, 0].tolist() == [13.5, 17.5, 21.5]
    assert over_channels(maps)[1, 0].tolist() == [[16, 17], [18, 19]]


@pytest.mark.parametrize("pool", [over_space, over_channels])
def test_maps_in_half_precision_are_pooled_to_single_precision(pool):
    maps = torch.rand(4, 2, 64, 7, 7).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = pool(maps)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, pool(maps.float()))
    assert pool(maps.double()).dtype == torch.float64


def test_every_setting_reaches_the_equations():
    phi = features()
    settings = DiversitySettings(gamma=3.0, distance="sum", surrogate="det", diagonal="code")
    found, similarity = diversity_of(phi, settings)
    torch.testing.assert_close(similarity, similarity_matrix(phi, 3.0, "sum", "code"))
    torch.testing.assert_close(found, diversity(similarity, "det"))
    ours, _ = diversity_of(phi, DiversitySettings())
    torch.testing.assert_close(ours, diversity(similarity_matrix(phi, 10.0, "mean", "paper"), "logdet"))


def test_a_determinant_that_may_be_negative_has_no_logarithm():
    with pytest.raises(ValueError, match="diagonal is code"):
        DiversitySettings(diagonal="code")
    assert DiversitySettings(diagonal="code", surrogate="det").diagonal == "code"
