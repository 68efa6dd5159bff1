import torch

from openfer.nn.centres import Centres


def test_centres_that_learn_do_not_follow():
    centres = Centres(2, 3, None)
    centres.follow(torch.ones(4, 3), torch.zeros(4, dtype=torch.long))
    assert [name for name, _ in centres.named_parameters()] == ["value"]
    assert centres.value.abs().sum() == 0


def test_moving_averages_start_at_the_first_means_and_keep_their_share():
    centres = Centres(3, 1, 0.9)
    assert list(centres.parameters()) == []
    centres.follow(torch.tensor([[1.0], [3.0], [10.0]]), torch.tensor([0, 0, 2]))
    assert centres.value.flatten().tolist() == [2.0, 0.0, 10.0]
    centres.follow(torch.tensor([[4.0], [7.0]]), torch.tensor([0, 1]))
    torch.testing.assert_close(centres.value.flatten(), torch.tensor([0.9 * 2 + 0.1 * 4, 7.0, 10.0]))


def test_features_of_nobody_move_nothing_and_get_no_gradient():
    centres = Centres(2, 1, 0.5)
    features = torch.tensor([[5.0], [6.0]], requires_grad=True)
    centres.follow(features, torch.tensor([-1, 1]))
    assert centres.value.flatten().tolist() == [0.0, 6.0]
    assert not centres.value.requires_grad


def test_moving_averages_are_in_the_state():
    centres = Centres(2, 1, 0.5)
    centres.follow(torch.tensor([[5.0]]), torch.tensor([1]))
    again = Centres(2, 1, 0.5)
    again.load_state_dict(centres.state_dict())
    again.follow(torch.tensor([[7.0]]), torch.tensor([1]))
    assert again.value.flatten().tolist() == [0.0, 6.0]
