"""Maps of where a method looks, against the formula and against what covering a place does."""

import numpy as np
import pytest
import torch
from small_method import COUNT, SmallMethod, faces, painted_store
from torch import nn

from openfer.methods.contract import MISSING, Batch, Prediction
from openfer.training.config import TrainingConfig
from openfer.training.grad_cam import cam_layer, class_maps, evaluating, grad_cam

CPU = TrainingConfig(device="cpu", precision="bfloat16", workers=0)


class Looking(SmallMethod):
    def cam_layers(self):
        return (self.trunk[0], self.trunk)


class LogProbabilities(Looking):
    def forward(self, images):
        prediction = super().forward(images)
        return Prediction({"expression": prediction.logits["expression"].log_softmax(1)}, prediction.features)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


def looking(kind=Looking):
    torch.manual_seed(0)
    method = kind()
    with torch.no_grad():
        method.trunk[1].running_mean.uniform_(-0.5, 0.5)
    return method


def images(store, count=4):
    pixels = torch.stack([faces(store, range(COUNT))[0, i][0] for i in range(count)])
    return Batch(pixels.float().div(127.5).sub(1), {"expression": torch.arange(count) % 3})


def naive(method, batch, classes):
    """Grad-CAM of the trunk, image by image and channel by channel."""
    maps = []
    for image, name in zip(batch.images, classes, strict=True):
        activation = method.trunk(image[None]).detach().requires_grad_()
        scores = method.head(activation.mean((2, 3)))
        if isinstance(method, LogProbabilities):
            scores = scores.log_softmax(1)
        (gradient,) = torch.autograd.grad(scores[0, name], activation)
        summed = sum(gradient[0, k].mean() * activation[0, k] for k in range(activation.shape[1]))
        maps.append(summed.clamp_min(0).detach())
    return torch.stack(maps)


@pytest.mark.parametrize("kind", [Looking, LogProbabilities])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_map_is_the_activation_weighted_by_the_mean_gradient_of_the_class(store, kind, dtype):
    method = looking(kind).eval().to(dtype)
    batch = images(store)
    batch = Batch(batch.images.to(dtype), batch.labels)
    classes = torch.tensor([0, 1, 2, 1])
    found = class_maps(method, method.trunk, batch, "expression", classes)
    torch.testing.assert_close(found, naive(method, batch, classes).float())
    assert found.amax((1, 2)).gt(0).any()


def test_maps_are_computed_where_all_weights_are_frozen_and_within_inference_without_gradients(store):
    method = looking().eval()
    batch, classes = images(store), torch.tensor([0, 1, 2, 1])
    expected = class_maps(method, method.trunk, batch, "expression", classes)
    with torch.no_grad():
        frozen = class_maps(method.requires_grad_(False), method.trunk, batch, "expression", classes)
    assert torch.equal(frozen, expected)


def test_the_method_is_left_as_it_was(store):
    method = looking().train()
    method.trunk[1].eval()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    grad_cam(method, faces(store, range(5)), CPU)
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())
    assert method.training
    assert method.trunk[3].training
    assert not method.trunk[1].training
    assert all(parameter.grad is None for parameter in method.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in method.modules())


def test_the_modes_come_back_after_an_error():
    method = looking().train()
    with pytest.raises(AttributeError, match="absent"), evaluating(method):
        method.absent  # noqa: B018
    assert method.training


def test_predicted_and_true_class_have_a_map_each_and_an_unlabelled_face_none_of_the_true_one(store):
    labels = np.array([0, 1, MISSING, 2])
    method = looking()
    seen = grad_cam(method, faces(store, range(4), labels=labels), CPU)["expression"]
    method.eval()
    batch = images(store)
    logits = method(batch.images).logits["expression"]
    assert seen.predicted.tolist() == logits.argmax(1).tolist()
    expected = naive(method, batch, seen.predicted)
    np.testing.assert_allclose(seen.of_predicted, expected, rtol=1e-4, atol=1e-7)
    assert seen.of_predicted.dtype == np.float32
    known = naive(method, Batch(batch.images[[0, 1, 3]], {}), [0, 1, 2])
    np.testing.assert_allclose(seen.of_true[[0, 1, 3]], known, rtol=1e-4, atol=1e-7)
    assert not seen.of_true[2].any()


def test_the_deepest_layer_with_four_cells_is_looked_at_and_the_first_where_none_has():
    class Deep(Looking):
        def __init__(self):
            super().__init__()
            self.trunk = nn.Sequential(*(nn.Conv2d(width, 8, 2, stride=2) for width in (3, 8, 8)))

        def cam_layers(self):
            return tuple(self.trunk)

    method = Deep().eval()
    for side, layer in ((32, 2), (20, 1), (10, 0), (8, 0)):
        assert cam_layer(method, Batch(torch.zeros(1, 3, side, side), {})) is method.trunk[layer], side
