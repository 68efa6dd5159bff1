import pytest
import torch
from tests.methods.networks import EXPRESSION, build_dfem

from openfer.errors import CheckpointError, ParameterError
from openfer.methods.contract import total
from openfer.methods.registry import build


def test_the_total_leaves_out_what_is_only_watched():
    losses = total({"a": torch.tensor(1.0), "b": torch.tensor(2.0).bfloat16(), "watch/norm": torch.tensor(100.0)})
    assert losses["total"].item() == 3
    assert losses["total"].dtype == torch.float32
    assert "watch/norm" in losses


def test_a_method_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(
        ParameterError, match=r"'adl' does not exist; did you mean 'addl'\? The methods are addl, addl_va, baseline"
    ):
        build("adl", {}, EXPRESSION)


def test_a_model_that_is_not_needed_is_refused():
    with pytest.raises(CheckpointError, match="baseline needs the models"):
        build("baseline", {}, EXPRESSION, {"dfem": None})


@pytest.mark.parametrize(
    "change",
    [{"trunk.conv1.weight": None}, {"extra": torch.zeros(1)}, {"trunk.conv1.weight": torch.zeros(64, 1, 7, 7)}],
    ids=["missing", "unexpected", "of another shape"],
)
def test_a_state_that_does_not_fit_is_refused_by_the_name_of_the_tensor_and_changes_nothing(change):
    method = build_dfem()
    before = {name: value.clone() for name, value in method.own_state().items()}
    other = {name: value + 1 for name, value in before.items()} | change
    with pytest.raises(CheckpointError, match=rf"does not fit dfem: 1 tensors .* the first \['{next(iter(change))}'\]"):
        method.load_own_state({name: value for name, value in other.items() if value is not None})
    assert all(torch.equal(value, before[name]) for name, value in method.own_state().items())
