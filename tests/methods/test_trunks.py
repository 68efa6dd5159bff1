"""Every method that is built on a ResNet trunk takes dlib's too, and its weights."""

import pytest
import torch
from tests.methods.networks import checkpoint_of
from tests.methods.trial import Trial, dlib_weights

from openfer.errors import CheckpointError, ParameterError
from openfer.methods.contract import Batch
from openfer.methods.declaration import METHODS
from openfer.nn.initialisation import initialise
from openfer.nn.manet_network import MANetwork
from openfer.nn.mask_attention import MaskAttention
from openfer.nn.trunks import TRUNKS

DLIB = "dlib_resnet29"
SIDE = 72
WITH_TRUNK = sorted(name for name in METHODS.names() if "trunk" in METHODS[name].settings.model_fields)


@pytest.fixture(scope="module")
def weights():
    return dlib_weights()


def with_dlib(name, faces):
    """Build a method with dlib's trunk; a DFEM that it needs has one too."""
    trial = Trial(name, faces)
    trial.__dict__["needed"] = {
        needed: checkpoint_of(with_dlib(needed, faces)) for needed in trial.declared.prerequisites_of(
            trial.declared.settings()
        )
    }  # fmt: skip
    return trial.build(trunk=DLIB)


def test_the_methods_with_a_trunk_are_those_that_the_documents_name():
    assert WITH_TRUNK == ["addl", "addl_va", "baseline", "dfem", "fdrl_eca", "manet", "oadn", "scn"]


@pytest.mark.parametrize("name", WITH_TRUNK)
def test_dlibs_weights_fill_its_backbone_and_every_part_is_trained(name, tiny_faces, weights):
    method = with_dlib(name, tiny_faces).train()
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
