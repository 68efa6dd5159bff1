import torch
from torch import nn

from openfer.nn.moments import Moments


def test_they_are_those_of_batch_normalisation_without_momentum(tiny_faces):
    columns = torch.stack([torch.from_numpy(tiny_faces.store.image(row)).float().mean((0, 1)) for row in range(12)])
    own, theirs = Moments(3), nn.BatchNorm1d(3, affine=False, momentum=None)
    for batch in columns.split((4, 5, 3)):
        own.follow(batch)
        theirs(batch)
    assert own.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(own.state_dict()[name], value)


def test_the_first_batch_replaces_the_start():
    moments = Moments(2)
    moments.follow(torch.tensor([[1.0, 5.0], [3.0, 5.0]], dtype=torch.bfloat16))
    assert moments.running_mean.tolist() == [2, 5]
    assert moments.running_var.tolist() == [2, 0]
