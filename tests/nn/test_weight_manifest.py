"""Names for files of weights: what an entry says, and what becomes of a name."""

import pytest
import torch
import torchvision
import yaml
from tests.pipelines.conftest import ROOT

from openfer.errors import CheckpointError, ParameterError
from openfer.io.provenance import decisive
from openfer.nn.dlib_resnet import DlibResNet29Trunk
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings, WeightsEntry
from openfer.nn.manet_network import MANetwork
from openfer.nn.resnet import ResNet18Trunk
from openfer.nn.resnet50 import ResNet50Trunk
from openfer.nn.trunks import ARCHITECTURES
from openfer.nn.weight_manifest import with_weights
from openfer.runs.recipes import laid_over

LICENCE, ORIGIN = "research use only", "somebody's laboratory"


def entry(path, **more):
    return {"path": str(path), "architecture": "resnet18", "licence": LICENCE, "origin": ORIGIN} | more


def settings(path, name="faces_resnet18", minimum_match=0.9, **more):
    block = {"m": {"initialisation": {"backbone": name, "minimum_match": minimum_match}}}
    return InitialisationSettings.model_validate(
        with_weights(block, {name: entry(path, **more)})["m"]["initialisation"]
    )


@pytest.fixture(scope="module")
def weights():
    """What RAN and SCN start from is a ResNet-18 with a classifier of as many classes as there were people."""
    torch.manual_seed(1)
    return torchvision.models.resnet18(num_classes=23).state_dict()


@pytest.fixture(scope="module")
def shipped():
    text = (ROOT / "conf/base/weights.yml").read_text().replace("${globals:raw_root}", "data/01_raw")
    return yaml.safe_load(text)


def test_every_entry_of_the_manifest_is_one_and_its_architecture_known(shipped):
    asked = {"m": {"initialisation": {"backbone": next(iter(shipped))}}}
    assert "entry" in with_weights(asked, shipped)["m"]["initialisation"]
    for name, said in shipped.items():
        found = WeightsEntry.model_validate(said)
        assert found.architecture in ARCHITECTURES, name
        assert found.path.startswith(("data/01_raw/weights/", "package:"))
        assert (found.mean is None) == (found.std is None)


def test_the_hashes_of_torchvisions_files_begin_as_their_names_end(shipped):
    for name, kind in (("imagenet_resnet18", "ResNet18_Weights"), ("imagenet_resnet50", "ResNet50_Weights")):
        url = getattr(torchvision.models, kind).IMAGENET1K_V1.url
        assert shipped[name]["path"].endswith(url.rpartition("/")[2])
        assert shipped[name]["sha256"].startswith(url.rpartition("-")[2].removesuffix(".pth"))


def test_each_entry_suits_a_backbone_of_its_architecture(shipped):
    backbones = {"resnet18": ResNet18Trunk, "resnet50": ResNet50Trunk, "manet": MANetwork}
    backbones["dlib_resnet29"] = DlibResNet29Trunk
    for name, said in shipped.items():
        block = {"backbone": name, "entry": said | {"path": "nowhere.pth", "sha256": None}}
        with torch.device("meta"):
            backbone = backbones[said["architecture"]]()
        with pytest.raises(CheckpointError, match=r"expected at nowhere\.pth"):
            initialise(backbone, InitialisationSettings.model_validate(block))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        lambda w: {"state_dict": w, "epoch": 90, "arch": "resnet18"},
        lambda w: {"model_state_dict": w, "iter": 1000},
        lambda w: {"state_dict": {f"module.{name}": value for name, value in w.items()}},
        lambda w: {"model_state_dict": {f"module.{name}": value for name, value in w.items()}},
        lambda w: {f"module.{name}": value for name, value in w.items() if not name.startswith("fc.")},
        lambda w: {name: value for name, value in w.items() if not name.endswith("num_batches_tracked")},
    ],
    ids=["plain", "state_dict", "model_state_dict", "module", "model_state_dict module", "no classifier", "old"],
)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_the_forms_in_circulation_load_and_the_share_is_reported(tmp_path, weights, wrap, legacy):
    file = tmp_path / "res18_naive.pth.tar"
    torch.save(wrap(weights), file, _use_new_zipfile_serialization=not legacy)
    backbone = ResNet18Trunk()
    report = initialise(backbone, settings(file))
    assert (report.matched, report.total, report.unexpected) == (100, 100, ())
    assert report.describe().startswith("100 of 100 tensors from faces_resnet18 (SHA-256 ")
    assert (report.licences, report.origin) == ((LICENCE,), ORIGIN)
    counted = {name: value for name, value in backbone.state_dict().items() if not name.endswith("batches_tracked")}
    assert all(torch.equal(value, weights[name]) for name, value in counted.items())


def test_below_nine_tenths_is_refused_unless_the_parameters_say_so(tmp_path, weights):
    torch.save({name: value for name, value in weights.items() if "layer4" not in name}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"faces_resnet18 fills 75 of 100 tensors of the backbone \(75%, at leas"):
        initialise(ResNet18Trunk(), settings(tmp_path / "w.pth"))
    assert initialise(ResNet18Trunk(), settings(tmp_path / "w.pth", minimum_match=0.7)).matched == 75


def test_the_key_filter_takes_one_network_out_of_a_file_of_two(tmp_path, weights):
    both = {f"teacher.{name}": torch.zeros_like(value) for name, value in weights.items()}
    torch.save(both | {f"student.net.{name}": value for name, value in weights.items()}, tmp_path / "w.pth")
    backbone = ResNet18Trunk()
    keys = {"take": "student.", "strip": "student.net."}
    assert initialise(backbone, settings(tmp_path / "w.pth", keys=keys)).matched == 100
    assert torch.equal(backbone.conv1.weight, weights["conv1.weight"])
    with pytest.raises(CheckpointError, match=r"none has a name that begins with 'pupil\.'.*first are teacher\.conv1"):
        initialise(backbone, settings(tmp_path / "w.pth", keys={"take": "pupil."}))


def test_an_unknown_name_is_refused_with_the_nearest_ones(shipped):
    block = {"addl": {"initialisation": {"backbone": "mscelebs_resnet18"}}}
    with pytest.raises(ParameterError, match=r"'mscelebs_resnet18', which .* did you mean 'msceleb_resnet18'"):
        with_weights(block, shipped)


@pytest.mark.parametrize("backbone", ["none", "pretrain", "w/resnet18.pth", "resnet18.safetensors", "./weights"])
def test_what_is_no_name_has_no_entry_and_takes_away_that_of_a_block_below(shipped, backbone):
    blocks = {"addl": {"initialisation": {"backbone": backbone}}, "dfem": {"seed": 0}, "dataset": "synthetic_fer"}
    found = with_weights(blocks, shipped)
    assert found == blocks | {"addl": {"initialisation": {"backbone": backbone, "entry": None}}}
    named = with_weights({"addl": {"initialisation": {"backbone": "dlib"}}}, shipped)
    assert laid_over(named, found)["addl"] == found["addl"]


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("mine", {"licence": LICENCE}, "entry mine"),
        ("mine", entry("w.pth", sha256="abc"), "sha256"),
        ("mine", entry("w.pth", hash="abc"), "hash"),
        ("pretrain", entry("w.pth"), "means something else"),
        ("mine.pth", entry("w.pth"), "means something else"),
    ],
)
def test_a_manifest_with_a_mistake_is_refused(name, said, words):
    with pytest.raises(ParameterError, match=words):
        with_weights({}, {name: said})


def test_a_missing_file_is_refused_with_its_place_origin_and_licence(tmp_path):
    words = rf"expected at .*absent\.pth, .*Origin: {ORIGIN}\. Licence: {LICENCE}\. openfer ships no one's weights"
    with pytest.raises(CheckpointError, match=words):
        initialise(ResNet18Trunk(), settings(tmp_path / "absent.pth"))


def test_another_hash_is_refused_and_the_runs_own_goes_before_the_manifests(tmp_path, weights):
    torch.save(weights, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="SHA-256"):
        initialise(ResNet18Trunk(), settings(tmp_path / "w.pth", sha256="0" * 64))
    report = initialise(ResNet18Trunk(), settings(tmp_path / "w.pth"))
    own = settings(tmp_path / "w.pth", sha256="0" * 64).model_copy(update={"sha256": report.sha256})
    assert initialise(ResNet18Trunk(), own).matched == 100


def test_an_entry_of_another_architecture_is_refused_though_three_quarters_of_its_shapes_agree(tmp_path):
    wrong = settings(tmp_path / "absent.pth", architecture="resnet50", minimum_match=0.5)
    with pytest.raises(CheckpointError, match=r"is a resnet50, which has 77%.*what fits is resnet18 or eca_resnet18"):
        initialise(ResNet18Trunk(), wrong)
    with pytest.raises(CheckpointError, match=r"no weights of weights\.yml can fit"):
        initialise(torch.nn.Linear(3, 2), settings(tmp_path / "absent.pth"))
    with pytest.raises(CheckpointError, match="is a resnet19; the architectures are resnet18"):
        initialise(ResNet18Trunk(), settings(tmp_path / "absent.pth", architecture="resnet19"))


def test_the_fingerprint_sees_the_files_content_and_the_filter_and_not_its_place(tmp_path, weights):
    def ingredients(path, **more):
        return decisive(settings(path, **more))

    places = [tmp_path / "a.pth", tmp_path / "b.pth"]
    for place in places:
        place.write_bytes(b"weights")
    assert ingredients(places[0]) == ingredients(places[1]) == ingredients(places[0], mean=[0, 0, 0], std=[1, 1, 1])
    assert ingredients(places[0]) != ingredients(places[0], keys={"take": "x."})
    assert ingredients(places[0]) != ingredients(places[0], sha256="0" * 64)
    places[1].write_bytes(b"others")
    assert ingredients(places[0]) != ingredients(places[1])


def test_what_a_model_of_our_own_was_learned_from_goes_with_it(tmp_path, weights):
    from openfer.io.checkpoint import Checkpoint, save_checkpoint

    facts = {"licences_of_data": ["CC0-1.0"], "licences_of_weights": [LICENCE]}
    save_checkpoint(tmp_path / "own.safetensors", Checkpoint(weights, facts))
    own = initialise(ResNet18Trunk(), InitialisationSettings(backbone=str(tmp_path / "own.safetensors")))
    assert (own.licences, own.origin) == (("CC0-1.0", LICENCE), "own.safetensors")
    torch.save(weights, tmp_path / "foreign.pth")
    foreign = initialise(ResNet18Trunk(), InitialisationSettings(backbone=str(tmp_path / "foreign.pth")))
    assert (foreign.licences, foreign.origin) == (("not stated",), "foreign.pth")
    assert initialise(ResNet18Trunk(), InitialisationSettings()).licences == ()
