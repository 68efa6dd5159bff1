"""MA-Net's two branches, and the layout of its published checkpoints."""

import pytest
import torch

from openfer.errors import CheckpointError, ParameterError
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.manet_network import MANetwork


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MANetwork().eval()


def test_each_quadrant_goes_through_blocks_of_its_own_and_back_to_its_place(network):
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        seen = network(images)
        shared = network.layer2(network.layer1(network.maxpool(network.relu(network.bn1(network.conv1(images))))))
        tiled = seen.tiled()
        for number, (top, left) in enumerate(((0, 0), (0, 4), (4, 0), (4, 4))):
            expected = network.patches[number](shared[:, :, top : top + 4, left : left + 4])
            torch.testing.assert_close(seen.patches[number], expected)
            torch.testing.assert_close(tiled[:, :, top // 2 : top // 2 + 2, left // 2 : left // 2 + 2], expected)
    torch.testing.assert_close(seen.features()[0], tiled.mean((2, 3)))
    torch.testing.assert_close(seen.features()[1], network.whole(shared).mean((2, 3)))


def test_at_the_papers_size_the_maps_are_the_papers(network):
    with torch.no_grad():
        seen = network(torch.zeros(1, 3, 224, 224))
    assert seen.patches.shape == (4, 1, 512, 7, 7)
    assert seen.tiled().shape == (1, 512, 14, 14)
    assert seen.whole.shape == (1, 512, 7, 7)


def test_images_without_four_equal_quadrants_are_refused(network):
    with pytest.raises(ParameterError, match=r"72 x 72 pixels.*multiple of 16"):
        network(torch.zeros(1, 3, 72, 72))


def normalised(name, channels):
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def basic(name, inputs, outputs, shortcut):
    found = {f"{name}.conv1.weight": (outputs, inputs, 3, 3), f"{name}.conv2.weight": (outputs, outputs, 3, 3)}
    found |= normalised(f"{name}.bn1", outputs) | normalised(f"{name}.bn2", outputs)
    return found | shortened(name, inputs, outputs, shortcut)


def shortened(name, inputs, outputs, there):
    if not there:
        return {}
    return {f"{name}.downsample.0.weight": (outputs, inputs, 1, 1)} | normalised(f"{name}.downsample.1", outputs)


def attentive(name, inputs, outputs, shortcut):
    gates = {
        f"{name}.cbam.ChannelGate.mlp.1.weight": (outputs // 16, outputs),
        f"{name}.cbam.ChannelGate.mlp.1.bias": (outputs // 16,),
        f"{name}.cbam.ChannelGate.mlp.3.weight": (outputs, outputs // 16),
        f"{name}.cbam.ChannelGate.mlp.3.bias": (outputs,),
        f"{name}.cbam.SpatialGate.spatial.conv.weight": (1, 2, 7, 7),
    }
    return basic(name, inputs, outputs, shortcut) | gates | normalised(f"{name}.cbam.SpatialGate.spatial.bn", 1)


def multi_scale(name, inputs, outputs, shortcut):
    found = {f"{name}.conv1.weight": (outputs, inputs, 3, 3)} | normalised(f"{name}.bn1", outputs)
    width = outputs // 4
    for chain in (1, 2):
        for scale in (1, 2, 3, 4):
            found[f"{name}.conv{chain}_2_{scale}.weight"] = (width, width, 3, 3)
            found |= normalised(f"{name}.bn{chain}_2_{scale}", width)
    return found | shortened(name, inputs, outputs, shortcut)


def published(classes=12666):
    """Every tensor of the published MS-Celeb-1M checkpoint by its name there, each filled with a number of its own."""
    shapes = {"conv1.weight": (64, 3, 7, 7)} | normalised("bn1", 64)
    for layer, inputs, outputs in (("layer1", 64, 64), ("layer2", 64, 128)):
        shapes |= basic(f"{layer}.0", inputs, outputs, inputs != outputs) | basic(f"{layer}.1", outputs, outputs, False)
    parts = [(attentive, f"_1_p{patch}") for patch in (1, 2, 3, 4)] + [(multi_scale, "_2")]
    for block, end in parts:
        for layer, inputs, outputs in ((f"layer3{end}", 128, 256), (f"layer4{end}", 256, 512)):
            shapes |= block(f"{layer}.0", inputs, outputs, True) | block(f"{layer}.1", outputs, outputs, False)
    for head in ("fc_1", "fc_2"):
        shapes |= {f"{head}.weight": (classes, 512), f"{head}.bias": (classes,)}
    # expanded from one number each, so that the file is small
    return {name: torch.tensor(float(i)).expand(shape) for i, (name, shape) in enumerate(shapes.items())}


def test_the_published_checkpoint_fills_the_whole_network_and_its_classifiers_are_passed_over(tmp_path):
    weights = published()
    nested = {"epoch": 7, "state_dict": {f"module.{name}": value for name, value in weights.items()}}
    torch.save(nested, tmp_path / "Pretrained_on_MSCeleb.pth.tar")
    network = MANetwork()
    report = initialise(network, InitialisationSettings(backbone=str(tmp_path / "Pretrained_on_MSCeleb.pth.tar")))
    assert report.matched == report.total
    assert report.unmatched == report.unexpected == ()
    for theirs, ours in (
        ("layer2.1.bn2.weight", network.layer2[1].bn2.weight),
        ("layer4_1_p2.0.cbam.ChannelGate.mlp.3.weight", network.patches[1][2].cbam.channel[2].weight),
        ("layer3_1_p4.1.cbam.SpatialGate.spatial.bn.running_var", network.patches[3][1].cbam.spatial[1].running_var),
        ("layer4_2.1.conv2_2_3.weight", network.whole[3].chains[1][2][0].weight),
        ("layer3_2.0.bn1_2_4.bias", network.whole[0].chains[0][3][1].bias),
        ("layer4_1_p3.0.downsample.0.weight", network.patches[2][2].downsample[0].weight),
    ):
        assert torch.equal(ours, weights[theirs]), theirs


def test_other_weights_are_refused_by_the_share_that_fits(tmp_path):
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="fills 1 of"):
        initialise(MANetwork(), InitialisationSettings(backbone=str(tmp_path / "w.pth")))
