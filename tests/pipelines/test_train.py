"""What a run refuses to train with."""

import shutil

import pytest

from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint, save_checkpoint
from openfer.nn.resnet import ResNet18Trunk
from openfer.pipelines.sources import Source
from openfer.pipelines.train import train
from openfer.runs.settings import RunSettings
from tests.pipelines.tiny_project import METHOD, TinyProject


def test_a_method_does_not_train_with_a_model_of_another_normalisation(tmp_path):
    settings = {"datasets": ["a"], "seed": 0, "images": {"crop": 64, "mean": 0.4}, "settings": {}}
    run = RunSettings.model_validate({"method": "addl"} | settings)
    dfem = {"last": lambda: Checkpoint({}, {"main_selection": True, "images": {"crop": 64}})}
    with pytest.raises(ParameterError, match=r"mean 0\.4 and std 0\.5, but dfem, .* mean 0\.5 and std 0\.5"):
        train(run, tmp_path, {}, {"dfem": dfem})


@pytest.mark.parametrize("fold", [0, 1])
def test_a_method_does_not_start_from_weights_that_learned_from_the_faces_it_tests(tmp_path, tiny_faces, fold):
    """The file says which fold was held out; the split has a fold 1, in which the others test."""
    file = tmp_path / "resnet18.safetensors"
    facts = {"datasets": ["tiny"], "fold": fold}
    save_checkpoint(file, Checkpoint(ResNet18Trunk().state_dict(), facts))
    settings = {
        "datasets": ["tiny"],
        "seed": 0,
        "fold": 1,
        "images": {"crop": 64},
        "training": {"selections": ["last"]},
    }
    schedule = {"epochs": 1, "batch_size": 28, "learning_rate": 1e-3}
    run = RunSettings.model_validate(
        {"method": "baseline", "initialisation": {"backbone": str(file)}, "settings": {"schedule": schedule}} | settings
    )
    rows = tiny_faces.scenes.assign(licence="none")
    split = rows[["sample_id"]].assign(fold=1, role=["train"] * 28 + ["val"] * 7 + ["test"] * 21)
    sources = {"tiny": Source(rows, tiny_faces.store, split)}
    if fold == run.fold:
        assert "100 of 100 tensors" in train(run, tmp_path, sources, {})[2]["initialisation"]
    else:
        with pytest.raises(
            ParameterError, match=r"fold 1 of tiny is tested, but .*resnet18\.safetensors.* fold 0 held out"
        ):
            train(run, tmp_path, sources, {})


def test_runs_that_differ_in_their_seed_share_the_maps_of_frozen_layers(tmp_path, tiny_faces):
    file = tmp_path / "resnet18.safetensors"
    save_checkpoint(file, Checkpoint(ResNet18Trunk().state_dict(), {}))
    start = {"backbone": str(file), "frozen_until": "layer4", "cache_frozen": True}
    schedule = {"epochs": 1, "batch_size": 28, "learning_rate": 1e-3, "milestones": []}
    rows = tiny_faces.scenes.assign(licence="none")
    split = rows[["sample_id"]].assign(fold=0, role=["train"] * 28 + ["val"] * 7 + ["test"] * 21)
    sources = {"tiny": Source(rows, tiny_faces.store, split)}
    kept = []
    for seed in (0, 1):
        run = RunSettings.model_validate(
            {
                "method": "baseline",
                "datasets": ["tiny"],
                "seed": seed,
                "initialisation": start,
                "images": {"size": 64, "crop": 64},
                "settings": {"schedule": schedule},
            }
        )
        _, history, about = train(run, tmp_path / f"work{seed}", sources, {}, tmp_path / "maps")
        assert about["initialisation"].endswith("frozen up to layer4, maps cached")
        assert "accuracy/expression" in set(history.loc[history["split"] == "val", "name"])
        kept.append({path.name: path.stat().st_mtime_ns for path in (tmp_path / "maps").iterdir()})
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2  # of training and of validation faces; results read images


@pytest.mark.slow
def test_a_pipeline_keeps_maps_among_features_and_stays_up_to_date_without_them(tmp_path, tiny_faces):
    file = tmp_path / "resnet18.safetensors"
    save_checkpoint(file, Checkpoint(ResNet18Trunk().state_dict(), {}))
    project = TinyProject(tmp_path / "data")
    project.bring("a", tiny_faces)
    start = {"backbone": str(file), "frozen_until": "layer4", "cache_frozen": True}
    parameters = {"baseline": {**METHOD, "method": "baseline", "initialisation": start}}
    assert [name for name in project.method("baseline", parameters) if name.endswith(".train")]
    kept = tmp_path / "data/04_feature/frozen_maps"
    assert len([*kept.iterdir()]) == 2
    shutil.rmtree(kept)
    assert project.method("baseline", parameters) == []
