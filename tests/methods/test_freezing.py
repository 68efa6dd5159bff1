"""Every method that is built on a trunk may keep the first weights of its lower layers."""

import pytest
import torch
from tests.methods.networks import checkpoint_of
from tests.methods.trial import Trial, trained
from tests.pipelines.plans import project_plan

from openfer.errors import ParameterError
from openfer.methods.declaration import METHODS

WITH_TRUNK = sorted(name for name in METHODS.names() if "trunk" in METHODS[name].settings.model_fields)


def with_trunk(name, faces, trunk):
    """Build a method with a trunk; a DFEM that it needs has the same."""
    trial = Trial(name, faces)
    needed = trial.declared.prerequisites_of(trial.declared.settings())
    trial.__dict__["needed"] = {one: checkpoint_of(with_trunk(one, faces, trunk)[1]) for one in needed}
    return trial, trial.build(trunk=trunk)


def state_of(modules):
    return {f"{n}.{k}": v.clone() for n, module in enumerate(modules) for k, v in module.state_dict().items()}


@pytest.mark.parametrize("name", WITH_TRUNK)
def test_a_training_changes_no_frozen_layer_and_all_others(name, tiny_faces, tmp_path):
    trial, method = with_trunk(name, tiny_faces, METHODS[name].settings().trunk)
    method.freeze("layer1")
    children = dict(method.backbone().named_children())
    frozen = [children[part] for part in ("conv1", "bn1", "layer1")]
    kept, before = state_of(frozen), {key: value.clone() for key, value in method.backbone().state_dict().items()}
    trained(method, trial.data(), tmp_path)
    assert all(torch.equal(value, kept[key]) for key, value in state_of(frozen).items())
    changed = {
        key.split(".")[0] for key, value in method.backbone().state_dict().items() if not value.equal(before[key])
    }
    assert changed == {part for part in children if part not in ("conv1", "bn1", "relu", "maxpool", "layer1")}
    assert not any(layer.training for part in frozen for layer in part.modules())


@pytest.mark.parametrize("last", ["stem", "layer2", "layer3"])
def test_the_layers_up_to_the_named_one_have_no_gradient(last, tiny_faces):
    _, method = with_trunk("baseline", tiny_faces, "dlib_resnet29")
    method.freeze(last).train()
    parts = ["stem", "layer1", "layer2", "layer3", "layer4"]
    children = dict(method.backbone().named_children())
    free = {part: all(p.requires_grad for p in children[part].parameters()) for part in parts}
    assert free == {part: parts.index(part) > parts.index(last) for part in parts}
    assert children["taps"].training  # dlib's maps are normalised by the batch, frozen or not


def test_a_stage_that_the_backbone_lacks_is_refused_with_those_that_it_has(tiny_faces):
    _, method = with_trunk("manet", tiny_faces, "resnet18")
    with pytest.raises(ParameterError, match=r"frozen_until is layer3.*are stem, layer1, layer2; give stem"):
        method.freeze("layer3")


@pytest.mark.parametrize(
    ("method", "backbone", "reason"),
    [("esr", "weights.pth", "esr is not built on a trunk"), ("baseline", "none", "starts from random weights")],
)
def test_what_cannot_be_frozen_is_refused_before_anything_is_read(method, backbone, reason):
    start = {"backbone": backbone, "frozen_until": "layer2"}
    with pytest.raises(ParameterError, match=rf"frozen_until is layer2, but .*{reason}"):
        project_plan(**{method: {"initialisation": start}})
