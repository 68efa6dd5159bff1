"""The neighbourhood mask: whom it leaves out, that nothing of these moves a weight, and that it leaves no trace."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_method import SmallMethod, fit_data, painted_store, same_tensors
from tests.methods.networks import EXPRESSION, face_batch

from openfer.errors import ParameterError
from openfer.methods.contract import WeightedSamples
from openfer.methods.registry import build
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.device import resolve
from openfer.training.loop import fit
from openfer.training.mask_settings import MaskSettings
from openfer.training.neighbourhood import NeighbourhoodMask

SIDE = 48
PLAIN = ImageSettings(crop=SIDE, mean=0.0, std=1.0)
CONFIG = TrainingConfig(device="cpu", precision="float32", workers=0)


@pytest.fixture(scope="module")
def generator():
    """Of fresh weights; what its codes vary by is made up, so that neighbours are somebody else."""
    torch.manual_seed(3)
    made = build("sna_generator", {"side": SIDE, "decoder": "symmetric"}, {})  # fresh residual blocks draw nothing
    made.code_statistics.running_var.fill_(4.0)
    return made


def mask_of(generator, images=PLAIN, epochs=3, samples=20, **settings):
    mask = NeighbourhoodMask(MaskSettings.model_validate(settings), copy.deepcopy(generator), images)
    mask.begin(resolve(CONFIG), epochs, samples)
    return mask


def classifier(name="two_scale"):
    torch.manual_seed(5)
    return build(name, {"side": SIDE} if name == "two_scale" else {}, EXPRESSION).train()


def weights_of(mask, method, batch, images=PLAIN, epoch=0):
    torch.manual_seed(9)
    return mask(method, images, batch, np.arange(len(batch.images)), epoch)[0]


@pytest.fixture
def batch(tiny_faces):
    """Faces in [0, 1]."""
    own = face_batch(tiny_faces, 10)
    return type(own)(F.interpolate((own.images + 1) / 2, size=SIDE, mode="bilinear"), own.labels)


def test_those_below_the_batch_mean_are_kept(generator, batch):
    mask = mask_of(generator)
    weights = weights_of(mask, classifier(), batch)
    table = mask.table(np.array([f"face{number}" for number in range(20)]))
    assert table["sample_id"].tolist() == [f"face{number}" for number in range(10)]
    assert set(table["epoch"]) == {1}
    assert table["divergence"].nunique() > 5
    below = table["divergence"] < table["divergence"].mean()
    assert table["kept"].tolist() == below.tolist() == weights.bool().tolist()
    assert 0 < weights.sum() < 10


def test_equal_divergences_are_all_kept_as_else_nothing_would_be_learned(generator, batch):
    assert weights_of(mask_of(generator), classifier(), type(batch)(batch.images[:1], {})).tolist() == [1.0]
    silent = classifier()
    torch.nn.init.zeros_(silent.network.fused_head.weight)
    assert weights_of(mask_of(generator), silent, batch).all()


def test_a_constant_threshold_is_one(generator, batch):
    free = mask_of(generator)
    weights_of(free, classifier(), batch)
    own = free.table(np.arange(20).astype(str))["divergence"].to_numpy()
    threshold = float(np.sort(own)[3:5].mean())
    weights = weights_of(mask_of(generator, threshold=threshold), classifier(), batch)
    assert weights.tolist() == (own < threshold).astype(float).tolist()
    assert weights.sum() == 4


def test_the_median_of_the_first_epoch_masks_half_from_the_second_on(generator, batch):
    mask, method = mask_of(generator, threshold="first_epoch_median"), classifier()
    assert weights_of(mask, method, batch).all()
    assert 4 <= weights_of(mask, method, batch, epoch=1).sum() <= 5  # the same draw


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_asking_leaves_no_trace_in_the_classifier(generator, batch, mode):
    method = classifier()
    state = {name: value.clone() for name, value in method.state_dict().items()}
    weights_of(mask_of(generator, mode=mode), method, batch)
    assert same_tensors(method.state_dict(), state)
    assert all(module.training for module in method.modules())
    assert all(parameter.grad is None for parameter in method.parameters())


def test_in_training_mode_dropout_is_measured_too(generator, batch):
    records = []
    for mode in ("eval", "train"):
        mask = mask_of(generator, mode=mode, noise=0.0)
        weights_of(mask, classifier(), batch)
        records.append(mask.table(np.arange(20).astype(str))["divergence"].mean())
    assert records[1] > records[0]


def test_it_asks_a_colour_network_of_another_size_and_normalisation(generator, batch):
    method = classifier("baseline")
    large = F.interpolate(batch.images, size=64)
    given = ImageSettings(crop=64, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    seen = []
    hook = method.shared.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mean, std = (torch.tensor(value)[:, None, None] for value in (given.mean, given.std))
    weights = weights_of(mask_of(generator), method, type(batch)((large - mean) / std, batch.labels), given)
    hook.remove()
    assert weights.shape == (10,)
    for shown in seen:
        assert shown.shape == (10, 3, 64, 64)
        plain = shown * std + mean
        torch.testing.assert_close(plain[:, 0], plain[:, 1], atol=1e-5, rtol=0)  # grey
    original = seen[0] * std + mean
    luma = (large * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)
    assert (original[:, 0] - luma).abs().mean() < 0.03  # smaller by a third and back


@pytest.mark.parametrize("name", ["baseline", "two_scale"])
def test_a_masked_sample_moves_nothing_and_the_others_learn_no_more(name, batch):
    method = classifier(name).eval()  # batch statistics would let samples move each other
    stage = method.stages()[0]
    weights = torch.tensor([1.0, 0, 0, 1, 1, 0, 1, 0, 1, 1])

    def gradients(own, factor=1.0):
        method.zero_grad()
        (factor * method.step(own, stage)["main"]["total"]).backward()
        return {key: p.grad.clone() for key, p in method.named_parameters() if p.grad is not None}

    masked = gradients(type(batch)(batch.images, batch.labels, weights=weights))
    kept = weights.bool()
    alone = gradients(type(batch)(batch.images[kept], {"expression": batch.labels["expression"][kept]}), 6 / 10)
    for key, value in masked.items():
        torch.testing.assert_close(value, alone[key], atol=1e-6, rtol=1e-3)
    nobody = gradients(type(batch)(batch.images, batch.labels, weights=torch.zeros(10)))
    assert not any(value.any() for value in nobody.values())


def test_a_generator_of_several_brightnesses_is_refused(generator):
    with pytest.raises(ParameterError, match=r"images\.mean \(0\.4, 0\.5, 0\.6\).* one number each"):
        mask_of(generator, ImageSettings(crop=64, mean=(0.4, 0.5, 0.6)))


def test_a_method_that_reads_no_weights_is_refused_before_it_trains(tmp_path, generator):
    data = fit_data(painted_store(tmp_path / "store"))
    with pytest.raises(ParameterError, match=r"neighbourhood_mask gives each sample a weight, which small does not .*"):
        fit(SmallMethod(), data, CONFIG, 0, tmp_path / "work", mask=mask_of(generator))
    method = SmallMethod()
    schedule = method.config.schedule.model_copy(update={"sampling": WeightedSamples()})
    method.config = method.config.model_copy(update={"schedule": schedule})
    with pytest.raises(
        ParameterError, match=r"sampling: \{kind: weighted\} gives .* as all that recognise expressions do"
    ):
        fit(method, data, CONFIG, 0, tmp_path / "work")
