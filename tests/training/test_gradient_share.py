"""Each term's share of the shared parameters' gradient, against shares computed by hand."""

import pytest
import torch
from small_method import EPOCHS, SmallMethod, fresh, painted_store, same_tensors, train
from torch import nn

from openfer.methods.contract import total
from openfer.training.gradient_share import gradient_shares


def test_shares_are_norms_of_gradients_divided_by_their_sum():
    weight, other = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor(3.0))
    steep = (torch.tensor([3.0, 4.0]) * weight).sum()
    losses = total({"steep": steep, "flat": 2 * weight[0] * other, "constant": torch.tensor(5.0), "watch/norm": steep})
    shares = gradient_shares(losses, [weight])
    assert {name: round(share.item(), 6) for name, share in shares.items()} == {
        "watch/gradient_share_steep": round(5 / 11, 6),
        "watch/gradient_share_flat": round(6 / 11, 6),
        "watch/gradient_share_constant": 0.0,
    }
    both = gradient_shares(losses, [weight, other])  # flat also moves the other one, by 2
    assert both["watch/gradient_share_flat"].item() == pytest.approx(40**0.5 / (5 + 40**0.5))
    losses["total"].backward()  # the graph is still there, and nothing was added to the gradients
    assert weight.grad.tolist() == [3 + 6, 4]


def test_one_term_alone_has_no_share_and_neither_has_a_method_without_shared_parameters():
    weight = nn.Parameter(torch.tensor(1.0))
    assert gradient_shares(total({"only": weight * 2, "watch/norm": weight}), [weight]) == {}
    assert gradient_shares(total({"one": weight * 2, "two": weight * 3}), []) == {}


class Compared(SmallMethod):
    def shared_parameters(self):
        return tuple(self.trunk.parameters())


def test_the_trainer_logs_them_once_an_epoch_and_trains_as_it_would_without(tmp_path):
    store = painted_store(tmp_path / "store")
    torch.manual_seed(0)
    compared, plain = train(store, tmp_path / "a", Compared()), train(store, tmp_path / "b", fresh())
    shares = compared.history[compared.history["name"].str.contains("gradient_share_")]
    assert set(shares["name"]) == {f"main/watch/gradient_share_{name}" for name in ("classification", "confusion")}
    assert shares.groupby("epoch")["value"].sum().tolist() == pytest.approx([1.0] * EPOCHS)
    assert not plain.history["name"].str.contains("gradient_share_").any()
    assert same_tensors(compared.states["last"].tensors, plain.states["last"].tensors)
