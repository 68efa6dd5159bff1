import argparse
import collections
import copy
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint
from openfer.nn.eca_resnet import ECAResNet18Trunk
from openfer.nn.harmless import HARMLESS
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.resnet import ResNet18Trunk
from openfer.nn.resnet50 import ResNet50Trunk
from openfer.nn.trunks import TRUNKS
from openfer.weights_command import convert

LAST = "layer4.1.bn2.weight"


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(1)
    return torchvision.models.resnet18().state_dict()


@pytest.fixture(scope="module")
def random_trunk():
    return ResNet18Trunk()


@pytest.fixture
def backbone(random_trunk):
    return copy.deepcopy(random_trunk)


def settings(path, **more):
    return InitialisationSettings(backbone=str(path), **more)


def equal(backbone, weights):
    return all(torch.equal(value, weights[name]) for name, value in backbone.state_dict().items())


def test_none_keeps_the_random_weights(backbone):
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    report = initialise(backbone, InitialisationSettings())
    assert equal(backbone, before)
    assert report.describe() == "random weights"
    assert (report.matched, report.sha256) == (0, None)


def test_ordinary_resnet_weights_fill_the_whole_trunk(backbone, tmp_path, weights, caplog):
    torch.save(weights, tmp_path / "resnet18.pth")
    report = initialise(backbone, settings(tmp_path / "resnet18.pth"))
    assert equal(backbone, weights)
    assert (report.matched, report.total) == (100, 100)
    assert report.unmatched == report.unexpected == ()
    assert report.sha256 == hashlib.sha256((tmp_path / "resnet18.pth").read_bytes()).hexdigest()
    assert "100 of 100 tensors from resnet18.pth" in report.describe()
    assert not caplog.text


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: {"state_dict": w, "epoch": 3},
        lambda w: {"model": {"state_dict": w}},
        lambda w: {f"module.{name}": value for name, value in w.items()},
        lambda w: {"state_dict": {f"module.encoder.{name}": value for name, value in w.items()}},
        lambda w: {f"backbone.{name}": value for name, value in w.items()},
        lambda w: collections.OrderedDict(w),
        lambda w: {"epoch": 3, "state_dict_ema": {f"module.{name}": value for name, value in w.items()}},
        lambda w: {"ema": {"model": {f"_orig_mod.{name}": value for name, value in w.items()}}},
        lambda w: {"state_dict": {f"model.net.{name}": value for name, value in w.items()}, "lr": 0.1},
    ],
)
def test_nested_and_prefixed_state_dicts_are_understood(backbone, tmp_path, weights, wrap):
    torch.save(wrap(weights), tmp_path / "w.pt")
    assert initialise(backbone, settings(tmp_path / "w.pt")).matched == 100
    assert equal(backbone, weights)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        lambda w: {"state_dict": {f"module.{name}": value for name, value in w.items()}},
        lambda w: {"state_dict_ema": w},
        lambda w: {name: value.half() for name, value in w.items()},
    ],
)
def test_weights_that_are_not_finite_are_refused_with_their_tensor(backbone, tmp_path, weights, wrap, value):
    wrong = weights["layer4.1.bn2.running_var"].clone()
    wrong[3] = value
    torch.save(wrap(weights | {"layer4.1.bn2.running_var": wrong}), tmp_path / "w.pth")
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"w\.pth .*1 of the 512 values of layer4\.1\.bn2\.running_var\. "):
        initialise(backbone, settings(tmp_path / "w.pth"))
    assert equal(backbone, before)


def test_a_value_that_is_too_large_for_half_precision_is_refused(backbone, tmp_path, weights):
    large = weights | {"bn1.running_mean": weights["bn1.running_mean"] + 1e5}
    torch.save({name: value.half() for name, value in large.items()}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"64 of the 64 values of bn1\.running_mean"):
        initialise(backbone, settings(tmp_path / "w.pth"))


def test_safetensors_are_known_by_their_content(backbone, tmp_path, weights):
    save_file(dict(weights), tmp_path / "w.pth")
    assert initialise(backbone, settings(tmp_path / "w.pth")).matched == 100


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_weights_that_read_blue_first_are_turned(backbone, tmp_path, weights, channels):
    torch.save(weights, tmp_path / "resnet18.pth")
    entry = {"path": str(tmp_path / "resnet18.pth"), "architecture": "resnet18", "licence": "none", "origin": "a test"}
    initialise(backbone, settings("named", entry=entry | {"channels": channels}))
    first = weights["conv1.weight"]
    expected = torch.stack([first[:, 2], first[:, 1], first[:, 0]], dim=1) if channels == "bgr" else first
    assert torch.equal(backbone.state_dict()["conv1.weight"], expected)
    assert torch.equal(backbone.state_dict()[LAST], weights[LAST])


def test_safetensors_and_our_own_checkpoints_are_understood(backbone, tmp_path, weights):
    save_file({f"trunk.{name}": value for name, value in weights.items()}, tmp_path / "dfem.safetensors")
    assert initialise(backbone, settings(tmp_path / "dfem.safetensors")).matched == 100
    assert equal(backbone, weights)


def test_a_missing_and_a_misshapen_tensor_are_reported_and_the_rest_is_loaded(backbone, tmp_path, weights, caplog):
    changed = {name: value for name, value in weights.items() if name != LAST}
    changed["conv1.weight"] = torch.zeros(64, 1, 7, 7)
    torch.save(changed | {"extra": torch.zeros(1)}, tmp_path / "w.pth")
    report = initialise(backbone, settings(tmp_path / "w.pth"))
    assert (report.matched, report.unmatched, report.unexpected) == (98, ("conv1.weight", LAST), ("extra",))
    assert torch.equal(backbone.layer1[0].conv1.weight, weights["layer1.0.conv1.weight"])
    assert f"98 of 100 tensors of the backbone; these keep their random values: conv1.weight, {LAST}" in caplog.text


def test_too_few_matches_name_the_share_and_the_first_keys_and_change_nothing(backbone, tmp_path, weights):
    torch.save({name: value for name, value in weights.items() if "layer4" not in name}, tmp_path / "w.pth")
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"75 of 100 tensors of the backbone \(75%.*layer4\.0\.conv1\.weight"):
        initialise(backbone, settings(tmp_path / "w.pth"))
    assert equal(backbone, before)
    assert initialise(backbone, settings(tmp_path / "w.pth", minimum_match=0.7)).matched == 75


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_another_hash_than_the_expected_one_is_refused(tmp_path, suffix):
    path = tmp_path / f"w.{suffix}"
    save_file({"a": torch.zeros(1)}, path) if suffix == "safetensors" else torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="SHA-256"):
        initialise(nn.Linear(1, 1), settings(path, sha256="0" * 64))


@pytest.mark.parametrize("suffix", ["pth", "pt", "safetensors"])
def test_a_truncated_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"w.{suffix}"
    tensors = {"a": torch.randn(1000)}
    save_file(tensors, path) if suffix == "safetensors" else torch.save(tensors, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="truncated"):
        initialise(nn.Linear(1, 1), settings(path))


@pytest.mark.parametrize("content", [b"", b"not weights at all"])
def test_a_file_that_is_no_weights_file_is_refused(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a PyTorch file"):
        initialise(nn.Linear(1, 1), settings(tmp_path / "w.pth"))


def test_a_file_with_python_objects_is_refused_unread(tmp_path):
    torch.save({"state_dict": nn.Linear(1, 1)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="Python objects besides tensors"):
        initialise(nn.Linear(1, 1), settings(tmp_path / "w.pth"))


@pytest.mark.parametrize(
    ("beside", "named", "remedy"),
    [
        (
            {"best": np.float64(0.893)},
            r"numpy\._core\.multiarray\.scalar",
            r"kedro weights convert .*w\.pth w\.safetensors",
        ),
        (
            {"args": argparse.Namespace(lr=0.1)},
            r"argparse\.Namespace",
            r"kedro weights convert .*w\.pth w\.safetensors",
        ),
        (
            {"net": nn.Linear(1, 1)},
            r"torch\.nn\.modules\.linear\.Linear",
            r"can run code .* save the network's state_dict",
        ),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_an_object_beside_the_tensors_is_named_with_a_safe_remedy(tmp_path, weights, beside, named, remedy, zipped):
    torch.save({"state_dict": weights} | beside, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=rf"besides tensors: {named}.*{remedy}") as refused:
        initialise(nn.Linear(1, 1), settings(tmp_path / "w.pth"))
    assert "weights_only" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html><title>Virus scan warning</title>", "a web page"),
        (b"\n<html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a pointer of Git LFS"),
        (b"\x1f\x8b\x08\0", "a compressed archive"),
    ],
)
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_file_of_another_kind_is_named(tmp_path, content, what, suffix):
    (tmp_path / f"w.{suffix}").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"is not a PyTorch file: it is {what}"):
        initialise(nn.Linear(1, 1), settings(tmp_path / f"w.{suffix}"))


def test_paths_are_harmless_as_each_python_names_them():
    names = {name.rpartition(".")[2] for name in HARMLESS if name.startswith("pathlib.")}
    assert {f"pathlib._local.{name}" for name in names} <= set(HARMLESS)


@pytest.mark.slow
def test_tensors_beside_harmless_objects_are_converted_in_another_process(backbone, tmp_path, weights):
    beside = {"best": np.float64(0.9), "args": argparse.Namespace(data=Path("raf")), "curve": np.ones(3), "at": {1, 2}}
    torch.save({"state_dict": weights} | beside, tmp_path / "w.pth.tar")
    converted = CliRunner().invoke(convert, [str(tmp_path / "w.pth.tar"), str(tmp_path / "w.safetensors")])
    assert "122 tensors" in converted.output, converted.exception
    assert initialise(backbone, settings(tmp_path / "w.safetensors")).matched == 100
    torch.save(nn.Linear(1, 1), tmp_path / "net.pth")
    refused = CliRunner().invoke(convert, [str(tmp_path / "net.pth"), str(tmp_path / "net.safetensors")])
    assert "modules.linear.Linear" in f"{refused.output}{refused.exception}"  # `kedro` words it, once it is imported
    assert not (tmp_path / "net.safetensors").exists()


@pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}])
def test_a_file_without_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="no tensors by name"):
        initialise(nn.Linear(1, 1), settings(tmp_path / "w.pth"))


@pytest.mark.parametrize("name", ["absent.pth", "absent.safetensors"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(CheckpointError, match=rf"{name} does not exist"):
        initialise(nn.Linear(1, 1), settings(tmp_path / name))


def pretrained(backbone, weights):
    facts = {"config": {"backbone": backbone, "learns": "attributes"}, "datasets": ["faces"]}
    facts |= {"data_version": "0123abcd", "selection": "best_val"}
    trunk = {f"trunk.{name}": value for name, value in weights.items()}
    return Checkpoint(trunk | {"classify.gender.weight": torch.zeros(2, 512)}, facts)


def test_what_the_pretraining_learned_fills_the_trunk_and_its_classifiers_are_left_behind(backbone, weights):
    plain = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    report = initialise(backbone, settings("pretrain"), pretrained("resnet18", plain))
    assert equal(backbone, weights)
    assert report.unexpected == ()
    assert report.describe() == ("100 of 100 tensors from pretrain's resnet18 (attributes, faces 0123abcd, best_val)")


def test_plain_weights_fill_a_trunk_with_channel_attention_but_for_its_attention(weights, caplog):
    trunk = ECAResNet18Trunk()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    plain = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    report = initialise(trunk, settings("pretrain"), pretrained("resnet18", plain))
    assert (report.matched, report.total) == (100, 108)
    assert all(".eca." in name for name in report.unmatched)
    for name, value in trunk.state_dict().items():
        assert torch.equal(value, before[name] if ".eca." in name else weights[name])
    assert "100 of 108 tensors of the backbone" in caplog.text


def test_a_trunk_with_channel_attention_fills_a_plain_one_and_the_attention_has_no_place(backbone):
    given = ECAResNet18Trunk().state_dict()
    report = initialise(backbone, settings("pretrain"), pretrained("eca_resnet18", given))
    assert (report.matched, report.total, len(report.unexpected)) == (100, 100, 8)


def test_a_pretraining_of_another_backbone_is_refused_with_those_that_fit(backbone):
    other = torchvision.models.resnet34().state_dict()
    other = {name: value for name, value in other.items() if "layer4" not in name}
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"pretrain's resnet34 \(.* fills 75 of 100 .* What fits is resnet18 or"):
        initialise(backbone, settings("pretrain"), pretrained("resnet34", other))
    assert equal(backbone, before)


def test_a_backbone_that_no_pretraining_fits_is_told_so(weights):
    names = "resnet18, eca_resnet18, resnet50, dlib_resnet29, resnet18_small_images"
    with pytest.raises(CheckpointError, match=rf"None of pretrain's backbones fits \({names}\): give"):
        initialise(nn.Linear(3, 2), settings("pretrain"), pretrained("resnet18", weights))


@pytest.mark.parametrize("name", TRUNKS)
def test_every_backbone_that_can_be_learned_gives_maps_with_the_channels_that_it_says(name):
    maps = TRUNKS[name].build().eval()(torch.zeros(1, 3, 64, 64))
    last = maps if isinstance(maps, torch.Tensor) else maps[-1]
    assert last.shape[:2] == (1, TRUNKS[name].channels)


def test_tensors_of_the_file_that_found_no_place_are_reported(tmp_path, caplog):
    torch.save(torchvision.models.resnet50().state_dict(), tmp_path / "resnet50.pth")
    small = ResNet50Trunk(blocks=(1, 1, 1, 1))
    report = initialise(small, InitialisationSettings(backbone=str(tmp_path / "resnet50.pth")))
    assert report.matched == report.total
    assert report.describe().endswith(f", {len(report.unexpected)} of its tensors unused")
    assert "no place for, such as layer1.1" in caplog.text
