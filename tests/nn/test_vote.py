import pytest
import torch

from openfer.nn.vote import majority_vote


def logits(*votes, classes=4, strength=3.0):
    """One sample: learner after learner votes for a class."""
    return torch.stack([strength * torch.eye(classes)[vote : vote + 1] for vote in votes])


@pytest.mark.parametrize("ties", ["first", "probability"])
def test_the_class_with_most_votes_wins_however_sure_the_others_are(ties):
    said = logits(2, 2, 1, 0)
    said[2:] *= 100
    assert majority_vote(said, ties).argmax(1).item() == 2


@pytest.mark.parametrize("votes", [(3, 1), (1, 3), (3, 1, 3, 1), (2, 1, 3)])
def test_of_equal_votes_the_lowest_class_index_wins_by_the_public_codes_rule(votes):
    assert majority_vote(logits(*votes)).argmax(1).item() == 1


def test_of_equal_votes_the_first_class_of_another_order_wins_where_one_is_given():
    order = [3, 0, 1, 2]
    assert majority_vote(logits(1, 3), "raf_db", order).argmax(1).item() == 3
    assert majority_vote(logits(1, 0), "raf_db", order).argmax(1).item() == 0
    assert majority_vote(logits(1, 1, 3), "raf_db", order).argmax(1).item() == 1


def test_of_equal_votes_the_more_probable_class_wins_by_the_other_rule():
    said = torch.cat([logits(1, strength=1.0), logits(3, strength=4.0)])
    assert majority_vote(said, "probability").argmax(1).item() == 3
    assert majority_vote(said, "first").argmax(1).item() == 1


@pytest.mark.parametrize("ties", ["first", "probability"])
def test_even_many_classes_and_learners_do_not_let_a_tie_break_outvote(ties):
    said = logits(*[0] * 7, *[7] * 8, classes=8, strength=0.01)
    assert majority_vote(said, ties).argmax(1).item() == 7


def test_the_softmax_is_the_share_of_votes():
    share = majority_vote(logits(0, 0, 2)).softmax(1)
    torch.testing.assert_close(share, torch.tensor([[2 / 3, 0.0, 1 / 3, 0.0]]), rtol=0, atol=3e-3)
    assert (share > 0).all()


def test_votes_are_counted_in_single_precision_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = majority_vote(logits(*[3] * 7, *[1] * 7).bfloat16())
    assert found.dtype == torch.float32
    assert found.argmax(1).item() == 1
