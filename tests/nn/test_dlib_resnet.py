"""dlib's network as a trunk: its weights read without dlib, the same answers, and what the trunk hands out."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tests.methods.trial import dlib_weights

from openfer.errors import CheckpointError, ParameterError
from openfer.nn.complexity import count_parameters
from openfer.nn.dlib_file import read_dlib
from openfer.nn.dlib_resnet import TAP_CHANNELS, DlibBlock, DlibResNet29Trunk
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.trunks import with_channel_attention
from openfer.nn.weight_manifest import with_weights

COSINE = 0.9999
"""Float32 on any processor comes to more than 0.999999; a wrong layer, mean or order to less than 0.99."""


@pytest.fixture(scope="module")
def shipped():
    return dlib_weights()


@pytest.fixture(scope="module")
def trunk(shipped):
    network = DlibResNet29Trunk().eval()
    initialise(network, shipped)
    return network


def test_the_weights_come_with_openfer_and_fill_the_whole_trunk(shipped):
    report = initialise(DlibResNet29Trunk(), shipped)
    assert (report.matched, report.total, report.unexpected) == (54, 54, ())
    assert report.licences[0].startswith("CC0")
    assert count_parameters(DlibResNet29Trunk()) == 4_394_560


def test_with_the_rest_of_the_network_it_answers_as_dlib_does(shipped, trunk, tiny_faces):
    dlib = pytest.importorskip("dlib")
    tensors = read_dlib(shipped.file)
    with torch.inference_mode():  # the trunk hands out normalised taps, dlib's next layer takes them as they are
        trunk.taps[-1].running_var.fill_(1 - trunk.taps[-1].eps)
    last = DlibBlock(256, 256, halve=True).eval()
    last.load_state_dict({n.removeprefix("layer5.0."): t for n, t in tensors.items() if n.startswith("layer5.0.")})
    theirs = dlib.face_recognition_model_v1(str(shipped.file))
    mean, std = np.array(shipped.entry.mean) * 255, shipped.entry.std[0] * 255
    for row in range(0, 56, 7):
        chip = np.asarray(Image.fromarray(tiny_faces.store.image(row)).resize((150, 150), Image.Resampling.BICUBIC))
        image = torch.from_numpy((chip - mean) / std).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            ours = last(trunk(image)[-1]).mean((2, 3))[0] @ tensors["fc.weight"].T
        expected = torch.tensor(list(theirs.compute_face_descriptor(np.ascontiguousarray(chip))))
        assert F.cosine_similarity(ours, expected, dim=0) > COSINE


@pytest.mark.parametrize(
    ("side", "widths"), [(55, (12, 12, 6, 3, 1)), (72, (16, 16, 8, 4, 2)), (96, (22, 22, 11, 5, 2))]
)
def test_the_taps_halve_from_the_second_stage_on(trunk, side, widths):
    with torch.inference_mode():
        taps = trunk(torch.zeros(1, 3, side, side))
    assert [(tap.shape[1], tap.shape[2], tap.shape[3]) for tap in taps] == [
        (channels, width, width) for channels, width in zip(TAP_CHANNELS, widths, strict=True)
    ]


def test_images_that_leave_no_cell_are_refused(trunk):
    with pytest.raises(ParameterError, match="54 x 54 pixels, this network needs 55 or more"):
        trunk(torch.zeros(1, 3, 54, 54))


@pytest.mark.parametrize("side", [6, 7])
def test_a_halving_block_fills_both_sides_with_zeros_to_the_larger(side):
    torch.manual_seed(0)
    block, x = DlibBlock(2, 3, halve=True).eval(), torch.rand(1, 2, side, side)
    residual = block.conv2(F.relu(block.conv1(x)))
    cells = side // 2
    expected = torch.zeros(1, 3, cells, cells)
    for channel in range(3):
        for row in range(cells):
            for column in range(cells):
                value = 0.0
                if row < residual.shape[2] and column < residual.shape[3]:
                    value += residual[0, channel, row, column]
                if channel < 2:
                    value += x[0, channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean()
                expected[0, channel, row, column] = max(value, 0.0)
    torch.testing.assert_close(block(x), expected)


def test_without_its_stride_the_last_stage_keeps_the_size_and_every_weight_its_shape(shipped):
    unstrided = DlibResNet29Trunk(unstrided=True).eval()
    assert initialise(unstrided, shipped).matched == 54
    assert unstrided(torch.zeros(1, 3, 72, 72))[-1].shape == (1, 256, 4, 4)


def test_channel_attention_is_new_and_the_file_fills_all_else(shipped):
    weighed = with_channel_attention("dlib_resnet29", 3)
    assert initialise(weighed, shipped).matched == 54
    assert sum("attention" in name for name in weighed.state_dict()) == 13


def test_a_file_of_an_installed_package_is_found_and_of_another_one_is_missed_with_its_place():
    entry = {"path": "package:nobody_has_this/file.dat", "architecture": "dlib_resnet29", "licence": "x", "origin": "y"}
    block = with_weights({"m": {"initialisation": {"backbone": "mine"}}}, {"mine": entry})["m"]["initialisation"]
    with pytest.raises(CheckpointError, match=r"expected at nobody_has_this/file\.dat, which does not exist"):
        InitialisationSettings.model_validate(block).refuse_missing_file()
    assert importlib.util.find_spec("nobody_has_this") is None


def damaged(content: bytes, how: str) -> bytes:
    """Return the file's bytes with a fault."""
    place = content.index(b"con_4")
    return {
        "truncated": content[: len(content) // 2],
        "another file": b"not a network at all" * 10,
        "empty": b"",
        "no size": content[: place + 5] + b"\x00" + content[place + 6 :],
    }[how]


@pytest.mark.parametrize("how", ["truncated", "another file", "empty", "no size"])
def test_a_damaged_file_is_named_with_the_remedy(shipped, tmp_path: Path, how: str) -> None:
    path = tmp_path / "weights.dat"
    path.write_bytes(damaged(shipped.file.read_bytes(), how))
    with pytest.raises(CheckpointError, match=r"weights\.dat .* is not dlib's face recognition network"):
        initialise(DlibResNet29Trunk(), InitialisationSettings(backbone=str(path)))


def test_taps_are_handed_out_with_mean_zero_and_deviation_one_in_every_channel(shipped, tiny_faces):
    trunk = DlibResNet29Trunk().train()
    initialise(trunk, shipped)
    faces = (
        torch.stack([torch.from_numpy(tiny_faces.store.image(row)).permute(2, 0, 1) for row in range(14)]) / 255 - 0.5
    )
    for tap in trunk(faces):
        alive = tap.std((0, 2, 3), correction=0) > 0.5  # a channel that is zero everywhere stays zero
        assert alive.float().mean() > 0.9
        torch.testing.assert_close(tap.mean((0, 2, 3)), torch.zeros(tap.shape[1]), atol=1e-4, rtol=0)
        torch.testing.assert_close(
            tap[:, alive].var((0, 2, 3), correction=0), torch.ones(int(alive.sum())), atol=0.02, rtol=0
        )
