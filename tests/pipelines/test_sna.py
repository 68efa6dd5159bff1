"""SNA's pipelines: who comes before whom, a masked training that goes on after a kill, and the pictures."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from openfer.errors import CheckpointError, ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import WeightedSamples
from openfer.methods.registry import build
from openfer.pipelines.figures.neighbours import animation, change, sheet
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.sources import Source
from openfer.pipelines.train import mask_of, train, train_masked
from openfer.runs.project import plan
from openfer.runs.settings import RunSettings
from openfer.schemas import MASKED, complete_rows
from openfer.training.mask_settings import MaskSettings

SIDE = 32
IMAGES = {"size": SIDE, "crop": SIDE, "mean": 0.0, "std": 1.0}
MASK = {"threshold": "batch_mean"}


def run(method, mask=None, epochs=2, **more):
    schedule = {"epochs": epochs, "batch_size": 14, "learning_rate": 1e-3}
    block = {"method": method, "datasets": ["a"], "seed": 0, "images": IMAGES, "settings": {"schedule": schedule}}
    if method != "baseline":
        block["settings"]["side"] = SIDE
    training = {"device": "cpu", "workers": 0, "selections": ["last"], "neighbourhood_mask": mask}
    return RunSettings.model_validate(block | {"training": training} | more)


def planned(**changes):
    """Return the plan of SNA's methods and a baseline, with changes of their blocks."""
    methods = ("sna_autoencoder", "two_scale", "sna_generator", "baseline", "fdrl_eca", "dfem")
    blocks = {
        name: {"method": name, "datasets": ["a"], "seed": 0, "images": IMAGES, "settings": {}} for name in methods
    }
    blocks |= {"sna": blocks["two_scale"] | {"method": "sna", "training": {"neighbourhood_mask": MASK}}}
    for name in ("sna_autoencoder", "sna_generator", "two_scale", "sna"):
        blocks[name] = blocks[name] | {"settings": {"side": SIDE}}
    for name, changed in changes.items():
        blocks[name] = blocks[name] | changed
    return plan(blocks)


def sources_of(tables):
    return {"a": Source(*tables)}


@pytest.fixture(scope="module")
def tables(tiny_faces):
    scenes = tiny_faces.scenes
    columns = ["sample_id", "dataset", "partition", "expression", "gender", "race", "identity"]
    rows = complete_rows(scenes[columns].assign(subject=scenes["person"], path="x", licence="CC0-1.0"))
    roles = ["train"] * 28 + ["val"] * 14 + ["test"] * 14
    return rows, tiny_faces.store, pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})


@pytest.fixture(scope="module")
def generators():
    torch.manual_seed(0)
    method = build("sna_generator", {"side": SIDE, "decoder": "symmetric"}, {})
    with torch.no_grad():  # fresh weights draw a grey that hardly changes
        method.decoder.last[0].weight.mul_(20)
        method.decoder.last[0].bias.fill_(0.5)
        method.code_statistics.running_var.fill_(25)
    facts = {
        "method": "sna_generator",
        "classes": {},
        "config": method.config.model_dump(mode="json"),
        "images": run("two_scale").images.model_dump(mode="json"),
        "main_selection": True,
        "datasets": ["a"],
        "fold": 0,
    }
    return {"last": lambda: Checkpoint(method.own_state(), facts)}


def nodes_of(asked, method):
    """Return the nodes of a method's own pipeline, by name without the runs' slugs."""
    nodes = runs_pipeline(asked.requested[method], asked.datasets).nodes
    return {re.sub(r"\.[^.]+\.", ".", node.name): node for node in nodes}


def test_four_models_are_made_one_after_the_other():
    asked = planned()
    nodes, (sna,) = nodes_of(asked, "sna"), asked.requested["sna"]
    assert [name for name in nodes if name.endswith(".train")] == [
        *("sna_autoencoder.train", "two_scale.train", "sna_generator.train", "sna.train"),
    ]
    generator = sna.prerequisites["sna_generator"]
    before = [f"{generator.prerequisites[name].slug}_models" for name in ("two_scale", "sna_autoencoder")]
    assert nodes["sna_generator.train"].inputs[-2:] == before
    assert nodes["sna.train"].inputs[-1] == f"{generator.slug}_models"
    assert nodes["sna.train"].outputs[-1] == f"{sna.slug}_masked"


def test_any_method_may_be_masked():
    asked = planned(baseline={"training": {"neighbourhood_mask": MASK}})
    nodes = nodes_of(asked, "baseline")
    assert nodes["baseline.train"].inputs[-1] == f"{asked.requested['sna_generator'][0].slug}_models"
    assert {"sna_generator.train", "baseline.masked_figure"} <= set(nodes)
    assert "sna_generator.train" not in nodes_of(asked, "fdrl_eca")
    assert "sna_generator.train" not in nodes_of(planned(), "baseline")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_scale", r"two_scale\.training\.neighbourhood_mask is set, .* run sna"),
        ("sna_autoencoder", r"sna_autoencoder: training\.neighbourhood_mask gives .* does not read; leave it null"),
        ("sna_generator", r"sna_generator: training\.neighbourhood_mask gives .* does not read; leave it null"),
    ],
)
def test_what_draws_neighbours_is_not_masked_by_them(name, words):
    with pytest.raises(ParameterError, match=words):
        planned(**{name: {"training": {"neighbourhood_mask": MASK}}})


def test_a_row_is_named_by_what_its_run_adds():
    assert run("sna", MASK).row == "sna"
    assert run("sna", {"threshold": 0.2}, label_noise=0.25).row == "sna T 0.2 noise 25 %"
    assert run("baseline", MASK, variant="baseline_mat").row == "baseline_mat mask"
    assert run("two_scale").row == "two_scale"


def test_sna_without_its_mask_is_told_what_it_is():
    with pytest.raises(ValidationError, match="sna without its neighbourhood mask is two_scale"):
        run("sna")


def test_a_mask_or_noise_that_would_not_be_read_is_refused_before_anything_runs():
    with pytest.raises(ValidationError, match="which dfem does not read; leave it null"):
        RunSettings.model_validate(
            {"method": "dfem", "datasets": ["a"], "seed": 0, "images": IMAGES, "settings": {}}
            | {"training": {"neighbourhood_mask": MASK}}
        )
    with pytest.raises(ValidationError, match=r"label_noise is 0\.2, but sna_autoencoder reads no label; set it to 0"):
        run("sna_autoencoder", label_noise=0.2)


def test_a_masked_training_without_a_mask_says_what_to_do(tmp_path):
    with pytest.raises(ParameterError, match=r"two_scale\.training\.neighbourhood_mask is null; give it a threshold"):
        train_masked(run("two_scale"), tmp_path, {}, {})


@pytest.mark.parametrize("method", ["sna", "baseline"])
def test_who_is_masked_is_noted_for_each_epoch_with_the_true_label(tables, generators, tmp_path, method):
    images = IMAGES | ({"size": None, "crop": 64} if method == "baseline" else {})
    asked = run(method, MASK, label_noise=0.25, images=images)
    states, history, about, masked = train_masked(asked, tmp_path, sources_of(tables), {"sna_generator": generators})
    MASKED.validate(masked)
    assert masked.groupby("epoch").size().tolist() == [28, 28]
    assert 0 < masked["kept"].mean() < 1
    truth = tables[0].set_index("sample_id")["expression"]
    assert (masked["label"] == truth[masked["sample_id"]].to_numpy()).all()
    assert masked[masked["epoch"] == 1]["flipped"].sum() == 7
    same = masked.groupby("sample_id")["flipped"].nunique()
    assert (same == 1).all()
    assert about["label_noise"] == 0.25
    row = "sna noise 25 %" if method == "sna" else "baseline mask noise 25 %"
    assert states["last"].facts["variant"] == row
    assert set(history["method"]) == {row}
    assert {"main/watch/kept", "main/watch/divergence"} <= set(history["name"])


def test_a_masked_training_that_is_broken_off_goes_on_to_the_same_end(tables, generators, tmp_path, monkeypatch):
    from openfer.methods.two_scale import TwoScale

    asked = run("sna", {"threshold": {"last_epoch": 0.5}})  # the second epoch needs what the first one recorded
    given = sources_of(tables), {"sna_generator": generators}
    whole = train_masked(asked, tmp_path / "whole", *given)
    taken, step = [], TwoScale.step

    def breaking(self, batch, stage):
        if len(taken) == 3:
            raise KeyboardInterrupt
        taken.append(None)
        return step(self, batch, stage)

    monkeypatch.setattr(TwoScale, "step", breaking)
    often = asked.model_copy(update={"training": asked.training.model_copy(update={"checkpoint_minutes": 0.0})})
    with pytest.raises(KeyboardInterrupt):
        train_masked(often, tmp_path / "broken", *given)
    monkeypatch.setattr(TwoScale, "step", step)
    resumed = train_masked(often, tmp_path / "broken", *given)
    for name, tensor in whole[0]["last"].tensors.items():
        assert torch.equal(tensor, resumed[0]["last"].tensors[name]), name
    pd.testing.assert_frame_equal(whole[3], resumed[3])


def test_weights_of_classes_reach_the_loss(tables, tmp_path, monkeypatch):
    from openfer.methods.two_scale import TwoScale

    seen, step = [], TwoScale.step

    def noting(self, batch, stage):
        seen.extend(zip(batch.labels["expression"].tolist(), batch.weights.tolist(), strict=True))
        return step(self, batch, stage)

    monkeypatch.setattr(TwoScale, "step", noting)
    rows, store, split = tables
    fewer = split[~((rows["expression"] == "fear") & (split["role"] == "train") & (split.index > 6))]
    asked = run("two_scale", epochs=1)
    schedule = asked.settings.schedule.model_copy(update={"sampling": WeightedSamples()})
    settings = asked.settings.model_copy(update={"schedule": schedule})
    states, _, _ = train(
        asked.model_copy(update={"settings": settings}), tmp_path, sources_of((rows, store, fewer)), {}
    )
    names = states["last"].facts["classes"]["expression"]
    weights = {names[label]: weight for label, weight in seen}
    counts = rows[rows["sample_id"].isin(fewer[fewer["role"] == "train"]["sample_id"])]["expression"].value_counts()
    assert counts["fear"] == 1
    assert weights == pytest.approx({name: counts.sum() / (7 * count) for name, count in counts.items()})


def test_an_autoencoder_needs_no_label(tables, tmp_path):
    rows = tables[0].assign(expression=pd.Series([None] * 56, dtype="str"))
    asked = run("sna_autoencoder", epochs=1)
    states, history, _ = train(asked, tmp_path, sources_of((rows, *tables[1:])), {})
    assert states["last"].facts["classes"] == {}
    assert set(history["split"]) == {"train"}


def test_pictures_of_neighbours_show_faces_and_move(tables, generators, tmp_path):
    before = run("sna_autoencoder", epochs=1)
    states, _, _ = train(before, tmp_path / "autoencoder", sources_of(tables), {})
    classifier, _, _ = train(run("two_scale", epochs=1), tmp_path / "classifier", sources_of(tables), {})
    models = {"sna_autoencoder": states["last"], "two_scale": classifier["last"]}
    given = sources_of(tables), {name: {"last": lambda own=own: own} for name, own in models.items()}
    asked = run("sna_generator")
    asked = asked.model_copy(update={"settings": asked.settings.model_copy(update={"decoder": "symmetric"})})
    picture = np.asarray(sheet(asked, generators, *given))
    assert picture.std() > 20
    pictures = [np.asarray(own, dtype=int) for own in animation(asked, generators, sources_of(tables))]
    assert len({own.shape for own in pictures}) == 1
    assert abs(pictures[0] - pictures[6]).max() > 0
    assert abs(pictures[1] - pictures[11]).max() <= 1  # there and back
    table, figure = change(asked, generators, *given)
    assert table["region"].tolist() == ["all", "brows", "eyes", "nose", "mouth", "rest"]
    assert set(table["n"]) == {14}
    assert table["pixels"].iloc[0] == table["pixels"].iloc[1:].sum() == SIDE**2
    assert np.isfinite(table[["psnr_autoencoder", "psnr_refined", "neighbour_change"]]).all(axis=None)
    figure.canvas.draw()
    accuracies = table[["accuracy_original", "accuracy_reconstruction", "accuracy_neighbour"]]
    assert (14 * accuracies.iloc[0]).tolist() == pytest.approx(
        (14 * accuracies.iloc[0]).round().tolist()
    )  # k of 14 faces
    assert accuracies.iloc[1:].isna().all(axis=None)
    assert set(table["recognisable"].iloc[1:]) == {""}


def test_reconstructions_that_are_not_recognised_are_told_of(tables, generators, tmp_path, caplog):
    """A classifier that has learned the tested faces by heart, and a generator of fresh weights, which draws greys."""
    rows, store, split = tables
    swapped = split.assign(role=["unused"] * 28 + ["val"] * 14 + ["train"] * 14)
    schedule = {"epochs": 25, "batch_size": 7, "learning_rate": 2e-3}
    learned = run("two_scale", settings={"side": SIDE, "dropout": 0.0, "schedule": schedule})
    classifier, _, _ = train(learned, tmp_path / "classifier", sources_of((rows, store, swapped)), {})
    autoencoder, _, _ = train(run("sna_autoencoder", epochs=1), tmp_path / "autoencoder", sources_of(tables), {})
    models = {"sna_autoencoder": autoencoder["last"], "two_scale": classifier["last"]}
    asked = run("sna_generator")
    asked = asked.model_copy(update={"settings": asked.settings.model_copy(update={"decoder": "symmetric"})})
    given = {name: {"last": lambda own=own: own} for name, own in models.items()}
    table, _ = change(asked, generators, sources_of(tables), given)
    whole = table.iloc[0]
    assert whole["accuracy_original"] > whole["accuracy_reconstruction"] + 0.05
    assert whole["recognisable"] == "no"
    (said,) = [record.getMessage() for record in caplog.records if "of their reconstructions" in record.getMessage()]
    assert f"{100 * whole['accuracy_original']:.1f} % of the faces" in said
    assert "set neighbourhood_mask.reference to reconstruction" in said


def test_the_mask_asks_the_generator_of_the_checkpoint(generators):
    mask = mask_of(MaskSettings(), generators["last"]())
    assert all(
        torch.equal(value, generators["last"]().tensors[name]) for name, value in mask.generator.own_state().items()
    )
    assert not mask.generator.training


def test_a_model_that_draws_nothing_is_refused():
    facts = {"method": "two_scale", "config": {"side": SIDE}, "classes": {"expression": ["a", "b"]}}
    with pytest.raises(CheckpointError, match="neighbours are drawn by sna_generator, this is a model of two_scale"):
        mask_of(MaskSettings(), Checkpoint({}, facts))
