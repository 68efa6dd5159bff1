import pytest
import torch

from openfer.losses.balance import balance_loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_its_equation_written_as_loops(dtype):
    torch.manual_seed(0)
    weights = torch.rand(4, 3, dtype=dtype)
    expected = sum(abs(sum(row[j] for row in weights.tolist()) / 4 - 1 / 3) for j in range(3))
    found = balance_loss(weights)
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_only_the_mean_over_the_batch_has_to_be_uniform():
    assert balance_loss(torch.eye(4)).item() == pytest.approx(0, abs=1e-7)
    assert balance_loss(torch.eye(4)[:1]).item() == pytest.approx(1.5)
