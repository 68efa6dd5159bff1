"""The trunk with a stage unstrided, and ordinary weights in it."""

import pytest
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from openfer.errors import ParameterError
from openfer.nn.complexity import count_parameters
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.resnet50 import ResNet50Trunk


def multiplications(trunk):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        trunk(torch.zeros(1, 3, 224, 224))
    return counter.get_total_flops() / 2


@pytest.fixture(scope="module")
def trunk():
    return ResNet50Trunk().eval()


def test_it_has_the_parameters_of_resnet_50_without_its_classifier(trunk):
    assert count_parameters(trunk) == 23_508_032
    assert count_parameters(ResNet50Trunk("layer3")) == 23_508_032


def test_its_maps_have_fourteen_cells_at_224_pixels_and_are_not_negative(trunk):
    with torch.no_grad():
        maps = trunk(torch.randn(1, 3, 224, 224))
    assert maps.shape == (1, 2048, 14, 14)
    assert maps.min() >= 0
    assert maps.max() > 0


def test_an_unstrided_third_stage_makes_maps_of_the_same_size_at_a_higher_price(trunk):
    third = ResNet50Trunk("layer3").eval()
    assert multiplications(trunk) == 6_206_570_496  # with the branches 6.22 G
    assert multiplications(third) == 10_599_579_648
    with torch.no_grad():
        assert third(torch.zeros(1, 3, 64, 64)).shape == (1, 2048, 4, 4)


def test_only_the_stride_of_the_chosen_stage_is_gone():
    plain = torchvision.models.resnet50().eval()
    trunk = ResNet50Trunk("layer4").eval()
    trunk.load_state_dict({key: value for key, value in plain.state_dict().items() if not key.startswith("fc.")})
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        third = plain.layer3(plain.layer2(plain.layer1(plain.maxpool(plain.relu(plain.bn1(plain.conv1(image)))))))
        torch.testing.assert_close(trunk.layer3(trunk.layer2(trunk.layer1(trunk.maxpool(trunk.relu(
            trunk.bn1(trunk.conv1(image))))))), third)  # fmt: skip
        assert plain.layer4(third).shape[-1] == 2
        assert trunk(image).shape[-1] == 4


def test_ordinary_resnet_50_weights_fill_it_whole_whichever_stage_is_unstrided(tmp_path):
    torch.manual_seed(1)
    weights = torchvision.models.resnet50().state_dict()
    torch.save({"state_dict": {f"module.{name}": value for name, value in weights.items()}}, tmp_path / "face.pth")
    trunk = ResNet50Trunk("layer3")
    report = initialise(trunk, InitialisationSettings(backbone=str(tmp_path / "face.pth")))
    assert report.matched == report.total
    assert report.unexpected == ()
    assert all(torch.equal(value, weights[name]) for name, value in trunk.state_dict().items())


def test_weights_of_another_network_are_refused_and_the_message_says_which_fit(tmp_path):
    from openfer.errors import CheckpointError

    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "resnet18.pth")
    with pytest.raises(CheckpointError, match=r"fills \d+ of \d+ tensors .* Give weights of this backbone"):
        initialise(ResNet50Trunk(), InitialisationSettings(backbone=str(tmp_path / "resnet18.pth")))


def test_fewer_blocks_make_a_smaller_trunk_with_the_same_maps():
    small = ResNet50Trunk(blocks=(1, 1, 1, 1)).eval()
    assert count_parameters(small) < 23_508_032 / 2
    with torch.no_grad():
        assert small(torch.zeros(2, 3, 64, 64)).shape == (2, 2048, 4, 4)


def test_images_too_small_are_refused():
    with pytest.raises(ParameterError, match=r"images are 16 x 16 pixels, this network needs 17"):
        ResNet50Trunk(blocks=(1, 1, 1, 1))(torch.zeros(1, 3, 16, 16))
