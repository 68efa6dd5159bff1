"""Weights by name: from the command line to what a model, its facts and its card say of them."""

import json
import logging

import pandas as pd
import pytest
import torch
import torchvision

from openfer.pipelines.evaluation_nodes import by_group, evaluate
from openfer.pipelines.predicting import predict
from openfer.pipelines.publish import publish
from openfer.pipelines.sources import Source
from openfer.pipelines.train import train
from openfer.runs.settings import RunSettings
from openfer.schemas import complete_rows, group_table
from tests.pipelines.conftest import Project, new_project
from tests.pipelines.in_process import typed

LICENCE, ORIGIN = "research use only", "somebody's laboratory"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("weights") / "project")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "words"),
    [
        ("msceleb_resnet19", "did you mean 'msceleb_resnet18'"),
        ("msceleb_resnet18", "data/01_raw/weights/ijba_res18_naive.pth.tar, which does not exist. Origin: ResNet-18"),
        ("w/absent.pth", "weights file w/absent.pth does not exist"),
    ],
)
def test_weights_that_are_not_there_end_the_run_before_a_face_is_rendered(project, backbone, words):
    said = typed(project.path, "--pipelines", "addl", "--params", f"addl.initialisation.backbone={backbone}", expect=1)
    assert words in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_local_manifest_says_where_ones_own_copy_is(project):
    local = project.path / "conf/local/weights.yml"
    local.write_text("msceleb_resnet18: {path: elsewhere/mine.pth}\n")
    asked = ("--params", "baseline.initialisation.backbone=msceleb_resnet18")
    said = typed(project.path, "--pipelines", "baseline", *asked, expect=1)
    local.unlink()
    assert "expected at elsewhere/mine.pth" in said
    assert "which its publisher withdrew" in said


@pytest.mark.slow
def test_licence_and_origin_of_the_weights_go_into_the_model_its_facts_and_its_card(tiny_faces, tmp_path, caplog):
    scenes = tiny_faces.scenes
    rows = scenes[["sample_id", "dataset", "expression"]].assign(path="x", licence="CC0-1.0")
    roles = ["train"] * 42 + ["val"] * 7 + ["test"] * 7
    split = pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})
    sources = {"a": Source(complete_rows(rows), tiny_faces.store, split)}

    torch.save({"state_dict": torchvision.models.resnet18().state_dict()}, tmp_path / "faces.pth.tar")
    entry = {"path": str(tmp_path / "faces.pth.tar"), "architecture": "resnet18", "licence": LICENCE, "origin": ORIGIN}
    entry |= {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    run = RunSettings.model_validate(
        {
            "method": "scn",
            "datasets": ["a"],
            "seed": 0,
            "images": {"crop": 64},
            "initialisation": {"backbone": "faces_resnet18", "entry": entry},
            "training": {"device": "cpu", "workers": 0},
            "settings": {"schedule": {"epochs": 1, "batch_size": 14, "learning_rate": 1e-3}},
        }
    )
    with caplog.at_level(logging.WARNING):
        states, _, about = train(run, tmp_path / "work", sources, {})
    said = "normalised with mean 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225, these are with mean 0.5, 0.5, 0.5 and"
    assert said in caplog.text
    assert about["initialisation"].startswith("100 of 100 tensors from faces_resnet18 (SHA-256 ")
    models = {name: lambda state=state: state for name, state in states.items()}
    predictions, _, facts = predict(run, models, sources)
    half = group_table({("half", "first"): scenes["sample_id"].iloc[-4:]})
    groups = by_group(predictions, {"a": half})["groups_table"]
    metrics = evaluate(predictions, facts)["metrics_json"]
    published, card = publish("scn-s0-f0-012345", run, models, metrics, groups, sources)
    assert LICENCE in card
    for known in (about, *(state.facts for state in states.values()), *facts, published):
        assert known["licences_of_weights"] == [LICENCE]
        assert known["origin_of_weights"] == ORIGIN
        assert known["licences_of_data"] == ["CC0-1.0"]
    json.dumps([about, facts, published])


@pytest.mark.slow
def test_the_default_run_says_whose_weights_it_starts_from(finished: Project):
    (file,) = finished.path.glob("data/07_model_output/baseline/*/facts.json")
    (facts, *_) = json.loads(file.read_text())
    (licence,) = facts["licences_of_weights"]
    assert licence.startswith("CC0-1.0 (dlib's author)")
    assert facts["origin_of_weights"].startswith("dlib's face recognition network")
