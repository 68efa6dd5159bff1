"""SNA's autoencoder and the refinement of its decoder: counts, who is moved by what, and the critic's turns."""

import pytest
import torch
from tests.methods.networks import EXPRESSION, checkpoint_of, face_batch

from openfer.errors import CheckpointError, TrainingError
from openfer.methods.contract import Batch
from openfer.methods.declared.sna_autoencoder import AutoencoderSettings
from openfer.methods.declared.sna_generator import GeneratorSettings
from openfer.methods.registry import build
from openfer.nn.asymmetric_autoencoder import ResidualBlock
from openfer.nn.complexity import count_parameters
from openfer.training.device import Plan
from openfer.training.optimisers import Optimisers, takes_part

SIDE = 32


def models(side=SIDE, **autoencoder):
    torch.manual_seed(0)
    return {
        "two_scale": checkpoint_of(build("two_scale", {"side": side}, EXPRESSION)),
        "sna_autoencoder": checkpoint_of(build("sna_autoencoder", {"side": side} | autoencoder, {})),
    }


def generator(**settings):
    torch.manual_seed(1)
    return build("sna_generator", {"side": SIDE} | settings, {}, models()).train()


@pytest.fixture
def batch(tiny_faces):
    own = face_batch(tiny_faces, 6)
    return Batch(torch.nn.functional.avg_pool2d((own.images + 1) / 2, 2), {})


def moved(before, after):
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


def state_of(method):
    return {name: value.clone() for name, value in method.state_dict().items()}


def step(method, batch, number=0, epoch=0):
    """One training step of a stage whose parameters then differ where they were moved."""
    stage = method.stages()[0]
    optimisers = Optimisers(stage, Plan(torch.device("cpu"), torch.float32, False, False, 0))
    optimisers.set_epoch(0)
    before = state_of(method)
    optimisers.step(method.step(batch, stage), number, epoch)
    return moved(before, state_of(method))


def test_parameters_are_those_of_table_one():
    whole = build("sna_autoencoder", {}, {})
    assert count_parameters(whole.encoder) == 320_784
    assert count_parameters(whole.decoder) == 530_295
    symmetric = build("sna_autoencoder", {"decoder": "symmetric"}, {})
    assert count_parameters(symmetric.decoder) == 326_497
    assert sum(isinstance(module, ResidualBlock) for module in whole.modules()) == 9
    assert not any(isinstance(module, ResidualBlock) for module in symmetric.modules())


def test_maps_of_encoder_and_decoder_have_the_sizes_of_table_one():
    whole = build("sna_autoencoder", {}, {}).eval()
    encoded = whole.encoder(torch.zeros(2, 1, 112, 112))
    decoded = whole.decoder(encoded.code)
    sizes = [(16, 56, 56), (32, 28, 28), (64, 14, 14), (80, 7, 7)]
    assert [tuple(level.shape[1:]) for level in encoded.levels] == sizes
    assert [tuple(level.shape[1:]) for level in decoded.levels] == sizes
    assert encoded.code.shape == (2, 64)
    assert decoded.image.shape == (2, 1, 112, 112)


def test_the_last_level_of_the_encoder_is_bounded_and_only_a_corrupted_input_is_dropped():
    encoder = build("sna_autoencoder", {"side": SIDE, "dropout": 0.5}, {}).encoder.eval()
    images = torch.rand(3, 1, SIDE, SIDE)
    assert encoder(images).levels[-1].abs().max() < 1
    assert torch.equal(encoder(images).code, encoder(images).code)
    assert not torch.equal(encoder(images, corrupted=True).code, encoder(images, corrupted=True).code)


def test_the_paper_s_settings_are_the_defaults():
    schedule = AutoencoderSettings().schedule
    assert (schedule.epochs, schedule.batch_size, schedule.optimiser, schedule.learning_rate) == (50, 256, "sgd", 1e-3)
    settings = GeneratorSettings()
    assert (settings.schedule.epochs, settings.schedule.optimiser, settings.schedule.batch_size) == (100, "rmsprop", 64)
    assert settings.schedule.learning_rate * settings.critic.rate == pytest.approx(2e-5)
    weights = settings.weights
    assert (weights.autoencoder, weights.adversarial, weights.perceptual) == (1e-3, 5.0, (100.0, 0.1, 0.001))


def test_the_encoder_s_clean_maps_are_constants_to_the_autoencoder(batch):
    """With nothing but the levels to reconstruct, the encoder is moved through the code alone."""
    torch.manual_seed(0)
    method = build("sna_autoencoder", {"side": SIDE, "dropout": 0.0, "levels": {"image": 0.0}}, {}).train()
    losses = method.step(batch, method.stages()[0])["main"]
    assert set(losses) == {"image", "level_1", "level_2", "level_3", "level_4", "total"}
    torch.nn.init.zeros_(method.decoder.fc.weight)  # now nothing of the code reaches the decoder
    method.step(batch, method.stages()[0])["main"]["total"].backward()
    assert not any(p.grad is not None and p.grad.any() for p in method.encoder.parameters())


def test_the_refinement_starts_from_the_autoencoder_and_keeps_its_encoder(batch):
    given = models()
    method = generator()
    own = method.own_state()
    for name, value in given["sna_autoencoder"].tensors.items():
        assert torch.equal(own[name], value), name
    changed = step(method, batch)
    assert not any(name.startswith(("encoder.", "two_scale.")) for name in changed)
    assert any(name.startswith("decoder.") for name in changed)
    assert any(name.startswith("critic.") for name in changed)
    assert {"code_statistics.running_var", "code_statistics.running_mean"} <= changed


def test_each_loss_reaches_its_own_player_alone(batch):
    method = generator()
    losses = method.step(batch, method.stages()[0])
    assert set(losses) == {"decoder", "critic"}
    assert {"autoencoder", "adversarial", "pixel", "perceptual_1", "perceptual_2", "perceptual_3"} < set(
        losses["decoder"]
    )
    losses["decoder"]["total"].backward(retain_graph=True)
    assert all(p.grad is None for p in method.critic.parameters())
    assert all(p.grad is None for p in method.two_scale.parameters())
    assert all(p.grad is not None for p in method.decoder.parameters())
    method.zero_grad()
    losses["critic"]["total"].backward()
    assert all(p.grad is None for p in method.decoder.parameters())
    assert all(p.grad is not None for p in method.critic.parameters())


def test_decoder_and_critic_pull_at_the_score_in_opposite_directions(batch):
    method = generator(weights={"adversarial": 1.0})
    losses = method.step(batch, method.stages()[0])
    torch.testing.assert_close(losses["decoder"]["adversarial"], -losses["critic"]["drawn"])
    images = (batch.images * torch.tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(losses["critic"]["real"], -method.critic(images).mean())


def test_the_image_counts_by_its_squared_distance_summed_over_the_pixels(batch):
    method = generator()
    drawn = method(batch.images).maps["reconstruction"]
    images = (batch.images * torch.tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    expected = (drawn - images).square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(method.step(batch, method.stages()[0])["decoder"]["pixel"], expected)


def test_a_critic_of_the_decoder_s_rate_moves_as_far_as_it_in_every_step_and_the_terms_are_compared_on_the_decoder():
    method = generator(critic={"rate": 1.0, "every": 1, "eager_epochs": 0})
    (stage,) = method.stages()
    decoder, critic = stage.players
    rates = {player.name: set(player.scales) or {1.0} for player in (decoder, critic)}
    assert rates == {"decoder": {1.0}, "critic": {1.0}}
    assert all(takes_part(critic, number, number // 20) for number in range(60))
    assert {id(p) for p in method.shared_parameters()} == {id(p) for p in method.decoder.parameters()}


def test_the_critic_is_clipped(batch):
    method = generator(critic={"clip": 0.002})
    method.step(batch, method.stages()[0])
    assert max(p.abs().max() for p in method.critic.parameters()) <= 0.002


def test_the_critic_takes_every_tenth_turn_and_all_of_the_first_epoch(batch):
    decoder, critic = generator().stages()[0].players
    turns = [takes_part(critic, number, number // 20) for number in range(60)]
    assert turns[:20] == [True] * 20
    assert sum(turns[20:]) == 4
    assert all(takes_part(decoder, number, number // 20) for number in range(60))
    method = generator()
    step(method, batch)  # clips the critic, so that from here on only its own steps move it
    step(method, batch, number=22, epoch=1)
    assert not any(name.startswith("critic.") for name in step(method, batch, number=23, epoch=1))
    assert any(name.startswith("critic.") for name in step(method, batch, number=29, epoch=1))


def test_the_autoencoder_s_loss_counts_a_tenth_after_each_twenty_epochs(batch):
    method = generator()
    stage = method.stages()[0]
    found = []
    for epoch in (0, 19, 20, 40):
        method.on_epoch_start(stage, epoch)
        torch.manual_seed(0)
        found.append(method.step(batch, stage)["decoder"]["autoencoder"].item())
    assert found[1] == pytest.approx(found[0])
    assert found[2] == pytest.approx(found[0] / 10)
    assert found[3] == pytest.approx(found[0] / 100)


def test_a_neighbour_without_noise_is_the_reconstruction_and_noise_is_scaled_by_the_codes_spread(batch):
    torch.manual_seed(1)
    method = build("sna_generator", {"side": SIDE, "decoder": "symmetric"}, {}).eval()
    reconstruction = method(batch.images).maps["reconstruction"]
    torch.testing.assert_close(method.neighbours(batch.images, 0.0), reconstruction)
    seen = []
    hook = method.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    method.code_statistics.running_var.copy_(torch.linspace(0.1, 9, 64) ** 2)
    for _ in range(200):
        method.neighbours(batch.images, 0.3)
    hook.remove()
    spread = (torch.stack(seen) - method(batch.images).features).std((0, 1))
    torch.testing.assert_close(spread, 0.3 * torch.linspace(0.1, 9, 64), rtol=0.1, atol=0)


def test_the_codes_spread_is_that_of_all_training_samples(batch):
    method = generator()
    with torch.no_grad():
        for start in range(3):
            method.step(Batch(batch.images[2 * start : 2 * start + 2], {}), method.stages()[0])
    codes = method.eval()(batch.images).features
    pairs = codes.view(3, 2, -1)
    torch.testing.assert_close(method.code_statistics.running_mean, codes.mean(0))
    torch.testing.assert_close(method.code_statistics.running_var, pairs.var(1).mean(0))


def test_it_does_not_train_without_what_it_needs_and_still_predicts(batch):
    method = build("sna_generator", {"side": SIDE}, {})
    with pytest.raises(TrainingError, match="run the pipelines two_scale and sna_autoencoder first"):
        method.step(batch, method.stages()[0])
    assert method(batch.images).features.shape == (6, 64)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (models(48), "sna_generator has side: 32, its autoencoder was trained with 48"),
        (
            models(decoder="symmetric"),
            "sna_generator has decoder: asymmetric, its autoencoder was trained with symmetric",
        ),
        (
            {"two_scale": models(48)["two_scale"], "sna_autoencoder": models()["sna_autoencoder"]},
            "network was trained w",
        ),
    ],
)
def test_models_of_another_shape_are_refused_with_the_parameter_to_change(given, message):
    with pytest.raises(CheckpointError, match=message):
        build("sna_generator", {"side": SIDE}, {}, given)
