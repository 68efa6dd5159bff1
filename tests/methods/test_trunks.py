"""Every method that is built on a ResNet trunk takes dlib's too, and its weights."""

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from tests.methods.test_freezing import WITH_TRUNK, with_trunk
from tests.methods.trial import Trial, dlib_weights

from openfer.errors import CheckpointError, ParameterError
from openfer.methods.contract import Batch
from openfer.methods.declaration import METHODS
from openfer.nn.complexity import count_parameters
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.manet_network import MANetwork
from openfer.nn.mask_attention import MaskAttention
from openfer.nn.trunks import TRUNKS

DLIB = "dlib_resnet29"
SIDE = 72


@pytest.fixture(scope="module")
def weights():
    return dlib_weights()


def test_the_methods_with_a_trunk_are_those_that_the_documents_name():
    assert WITH_TRUNK == ["addl", "addl_va", "baseline", "dfem", "fdrl_eca", "manet", "oadn", "scn"]


@pytest.mark.parametrize("name", WITH_TRUNK)
def test_dlibs_weights_fill_its_backbone_and_every_part_is_trained(name, tiny_faces, weights):
    method = with_trunk(name, tiny_faces, DLIB)[1].train()
    report = initialise(method.backbone(), weights)
    assert report.matched == report.total > 0
    trial = Trial(name, tiny_faces)
    rows = range(0, 28, 4)
    images = torch.nn.functional.interpolate(
        torch.stack([torch.from_numpy(tiny_faces.store.image(row)).permute(2, 0, 1) for row in rows]) / 255, SIDE
    )
    labels = {task: torch.from_numpy(tiny_faces.labels(task)[list(rows)]) for task in trial.classes}
    extras = {extra: torch.from_numpy(trial.extra(extra)[list(rows)]) for extra in trial.declared.extras}
    targets = {name: torch.from_numpy(values[list(rows)]).float() for name, values in trial.values.items()}
    (stage, *_) = method.stages()
    losses = method.step(Batch(images, labels, extras, None, targets), stage)
    for player in stage.players:
        gradients = torch.autograd.grad(
            losses[player.name]["total"], player.parameters, allow_unused=True, retain_graph=True
        )
        assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_a_dfem_of_another_trunk_is_refused_with_the_remedy(tiny_faces):
    with pytest.raises(CheckpointError, match=r"its DFEM's is resnet18.*set dfem\.settings\.trunk to dlib_resnet29"):
        Trial("addl", tiny_faces).build(trunk=DLIB)


def test_dlibs_maps_that_manet_cannot_cut_into_quadrants_are_refused_with_a_size_that_can():
    with pytest.raises(ParameterError, match=r"of which dlib's maps are 5 x 5.*set images\.crop to 72 or 104"):
        MANetwork(trunk=DLIB)(torch.zeros(1, 3, 96, 96))


def test_attention_blocks_meet_taps_that_are_halved_by_rounding_down():
    taps = TRUNKS[DLIB].build().eval()(torch.zeros(1, 3, 96, 96))
    assert [tap.shape[-1] for tap in taps] == [22, 22, 11, 5, 2]
    maps = MaskAttention(TRUNKS[DLIB].taps).eval()(taps)
    assert [tuple(level.attentive.shape[1:3]) for level in maps] == [(32, 22), (64, 11), (128, 5), (256, 2), (256, 2)]


SMALL = "resnet18_small_images"


def test_the_stem_for_small_images_keeps_their_size_and_ordinary_weights_fill_all_but_it(tmp_path, caplog):
    trunk = TRUNKS[SMALL].build()
    assert count_parameters(trunk) == 11_168_832
    assert [tuple(tap.shape[1:]) for tap in trunk.eval()(torch.zeros(1, 3, 48, 48))] == [
        (64, 48, 48), (64, 48, 48), (128, 24, 24), (256, 12, 12), (512, 6, 6),
    ]  # fmt: skip
    save_file(TRUNKS["resnet18"].build().state_dict(), tmp_path / "resnet18.safetensors")
    report = initialise(trunk, InitialisationSettings(backbone=str(tmp_path / "resnet18.safetensors")))
    assert report.unmatched == ("conv1.weight",)
    assert "keep their random values: conv1.weight" in caplog.text


@pytest.mark.parametrize("name", [name for name in WITH_TRUNK if name not in ("manet", "oadn")])
def test_every_method_on_resnet_18_learns_on_the_trunk_for_small_images(name, tiny_faces):
    _, method = with_trunk(name, tiny_faces, SMALL)
    trial = Trial(name, tiny_faces)
    images = torch.stack([torch.from_numpy(tiny_faces.store.image(row)).permute(2, 0, 1) for row in range(4)]) / 255
    labels = {task: torch.from_numpy(tiny_faces.labels(task)[:4]) for task in trial.classes}
    targets = {name: torch.from_numpy(values[:4]).float() for name, values in trial.values.items()}
    (stage, *_) = method.stages()
    losses = method.step(Batch(torch.nn.functional.interpolate(images, 16), labels, {}, None, targets), stage)
    (gradient,) = torch.autograd.grad(losses[stage.players[0].name]["total"], method.backbone().conv1.weight)
    assert gradient.shape == (64, 3, 3, 3)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("name", ["manet", "oadn"])
def test_methods_with_a_trunk_of_their_own_refuse_it(name):
    with pytest.raises(ValidationError, match="trunk"):
        METHODS[name].settings(trunk=SMALL)
