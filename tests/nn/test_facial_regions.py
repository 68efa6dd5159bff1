import pytest
import torch
from torch import nn

from openfer.errors import ParameterError
from openfer.nn.facial_regions import RegionHeads, region_features


def by_hand(features, across, block):
    side = features.shape[-1]
    cuts = [(start, min(start + block, side)) for start in range(0, side, block)]
    assert len(cuts) == across
    return torch.stack([features[:, :, a:b, c:d].mean((2, 3)) for a, b in cuts for c, d in cuts], dim=1)


@pytest.mark.parametrize(("regions", "across", "block"), [(1, 1, 14), (4, 2, 7), (9, 3, 5), (16, 4, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_regions_are_blocks_of_fourteen_cells_the_last_ones_narrower(regions, across, block, dtype):
    features = torch.rand(2, 3, 14, 14, dtype=dtype)
    torch.testing.assert_close(region_features(features, regions), by_hand(features, across, block))


def test_one_region_is_global_average_pooling():
    features = torch.rand(2, 5, 14, 14)
    torch.testing.assert_close(region_features(features, 1)[:, 0], features.mean((2, 3)))


@pytest.mark.parametrize(("cells", "regions"), [((4, 4), 9), ((2, 2), 16), ((4, 6), 4)])
def test_maps_that_cannot_be_cut_are_refused(cells, regions):
    with pytest.raises(ParameterError, match=rf"{cells[0]} x {cells[1]} cells cannot be cut.*settings\.regions"):
        region_features(torch.rand(1, 2, *cells), regions)


class _Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, feature):
        return feature, self.factor * feature


def test_every_region_has_its_own_head_from_the_upper_left_row_by_row():
    features = torch.arange(16.0).reshape(1, 1, 4, 4)
    hidden, logits = RegionHeads([_Scale(k) for k in (1, 10, 100, 1000)], 4)(features)
    assert hidden.flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert logits.flatten().tolist() == [2.5, 45.0, 1050.0, 12500.0]


def test_a_single_head_is_shared_by_all_regions():
    features = torch.arange(16.0).reshape(1, 1, 4, 4)
    _, logits = RegionHeads([_Scale(2)], 4)(features)
    assert logits.flatten().tolist() == [5.0, 9.0, 21.0, 25.0]
