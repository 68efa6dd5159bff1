"""The neighbourhood mask: whom it leaves out, that nothing of these moves a weight, and that it leaves no trace."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_method import SmallMethod, fit_data, painted_store, same_tensors
from tests.left_out import without_resume_files
from tests.methods.networks import EXPRESSION, face_batch
from tests.methods.trial import CPU, IMAGES, Trial

from openfer.errors import ParameterError
from openfer.methods.contract import WeightedSamples
from openfer.methods.registry import build
from openfer.nn.grey import grey
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


def test_the_channels_order_is_undone_for_the_generator_and_kept_for_the_classifier(generator, batch):
    """A classifier that reads blue first, its first layer turned, gives every sample the divergence it had."""
    turned = classifier()
    first = next(layer for layer in turned.modules() if isinstance(layer, torch.nn.Conv2d))
    first.weight.data = first.weight.data.flip(1)
    plain, reading_blue_first = mask_of(generator), mask_of(generator)
    weights_of(plain, classifier(), batch)
    images = PLAIN.model_copy(update={"channels": "bgr"})
    weights_of(reading_blue_first, turned, type(batch)(batch.images.flip(1), batch.labels), images)
    names = np.array([f"face{number}" for number in range(20)])
    np.testing.assert_allclose(
        reading_blue_first.table(names)["divergence"], plain.table(names)["divergence"], rtol=1e-4, atol=1e-6
    )


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


def divergences(mask, epoch=1):
    """Return those of an epoch, counted from 1, in the batch's order."""
    table = mask.table(np.array([f"face{number:02d}" for number in range(20)]))
    return table[table["epoch"] == epoch].sort_values("sample_id")["divergence"].to_numpy()


def test_a_threshold_of_the_last_epoch_follows_it(generator, batch):
    mask, method = mask_of(generator, epochs=4, threshold={"last_epoch": 0.7}), classifier()
    assert weights_of(mask, method, batch).all()  # there was none before
    assert weights_of(mask, method, batch, epoch=1).sum() == 7  # the same draw
    with torch.no_grad():  # the classifier answers more sharply now, and the threshold grows with it
        method.network.fused_head.weight.mul_(5)
    quantile = np.quantile(divergences(mask, 2), 0.7)
    weights = weights_of(mask, method, batch, epoch=2)
    assert weights.tolist() == (divergences(mask, 3) < quantile).astype(float).tolist()
    assert weights.sum() < 7
    assert weights_of(mask, method, batch, epoch=3).sum() == 7


def test_before_its_beginning_it_keeps_all_and_measures_all_the_same(generator, batch):
    mask, method = mask_of(generator, begin=2), classifier()
    for epoch in (0, 1, 2):
        torch.manual_seed(9)
        weights, watched = mask(method, PLAIN, batch, np.arange(10), epoch)
        assert (weights.sum() == 10) == (epoch < 2)
        assert ("watch/kept" in watched) == (epoch == 2)
        assert divergences(mask, epoch + 1).mean() == pytest.approx(watched["watch/divergence"].item())


def test_compared_with_reconstructions_only_the_noise_counts(generator, batch):
    silent = mask_of(generator, reference="reconstruction", noise=0.0)
    assert weights_of(silent, classifier(), batch).all()
    assert divergences(silent).max() == 0
    found = {}
    for reference in ("original", "reconstruction"):
        mask = mask_of(generator, reference=reference)
        weights_of(mask, classifier(), batch)
        found[reference] = divergences(mask)
    assert (found["original"] > 10 * found["reconstruction"]).all()  # fresh weights draw no face


@pytest.mark.parametrize("criterion", ["random", "loss"])
def test_a_control_drops_as_many_others(generator, batch, criterion):
    method = classifier()
    own = weights_of(mask_of(generator), method, batch)
    control = mask_of(generator, criterion=criterion)
    weights = weights_of(control, method, batch)
    assert weights.sum() == own.sum()
    assert not torch.equal(weights, own)
    if criterion == "random":
        torch.manual_seed(10)
        again = control(method, PLAIN, batch, np.arange(10), 0)[0]
        assert again.sum() == own.sum()
        assert not torch.equal(again, weights)
    else:
        with torch.no_grad():
            logits = method.eval()(grey(batch.images, SIDE).expand(-1, 3, -1, -1)).logits["expression"]
        losses = F.cross_entropy(logits, batch.labels["expression"], reduction="none")
        assert losses[weights.bool()].max() < losses[~weights.bool()].min()


def test_a_mask_that_keeps_nothing_or_everything_is_told_of(tmp_path, generator, caplog, tiny_faces):
    said, trial = [], Trial("two_scale", tiny_faces)
    for threshold in (1e-30, 1e3, "batch_mean"):
        mask = NeighbourhoodMask(MaskSettings(threshold=threshold), copy.deepcopy(generator), IMAGES)
        caplog.clear()
        with without_resume_files():
            fit(trial.build(epochs=2), trial.data(), CPU, 0, tmp_path / str(threshold), mask=mask)
        said.append([record.getMessage() for record in caplog.records if "kept of main" in record.getMessage()])
    assert [len(own) for own in said] == [1, 1, 0]
    assert all("on average, outside of 0.1 to 0.99" in own[0] for own in said[:2])
    assert "set another training.neighbourhood_mask.threshold, or a later begin" in said[1][0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ""),
        ({"threshold": 0.2}, "T 0.2"),
        ({"threshold": {"last_epoch": 0.9}, "reference": "reconstruction", "begin": 4},
         "T last epoch 0.9 reconstruction from 4"),
        ({"criterion": "random"}, "by random"),
    ],
)  # fmt: skip
def test_a_mask_is_named_by_what_differs_from_the_paper_s(settings, words):
    assert MaskSettings.model_validate(settings).words == words


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
