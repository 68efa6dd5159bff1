"""SNA's pipelines: who comes before whom, a masked training that goes on after a kill, and the pictures."""

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from openfer.errors import CheckpointError, ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import WeightedSamples
from openfer.methods.registry import build
from openfer.pipelines.in_use import choose
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.sna_generator.nodes import animation, change, sheet
from openfer.pipelines.template import method_pipeline
from openfer.pipelines.training_nodes import mask_of, train, train_masked
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
    return MethodRun.model_validate(block | {"training": training} | more)


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


def nodes_of(pipeline):
    return {node.name: node for node in pipeline.nodes}


def test_four_models_are_made_one_after_the_other():
    nodes = nodes_of(method_pipeline("sna"))
    assert [name for name in nodes if name.endswith(".train")] == [
        *("sna_autoencoder.train", "two_scale.train", "sna_generator.train", "sna.train"),
    ]
    assert nodes["sna_generator.train"].inputs[-2:] == ["two_scale_models", "sna_autoencoder_models"]
    assert nodes["sna.train"].inputs[-1] == "sna_generator_models"
    assert nodes["sna.train"].outputs[-1] == "sna_masked"


def test_any_method_may_be_masked():
    try:
        choose({"baseline": {"training": {"neighbourhood_mask": MASK}}})
        nodes = nodes_of(method_pipeline("baseline"))
        assert nodes["baseline.train"].inputs[-1] == "sna_generator_models"
        assert {"sna_generator.train", "baseline.masked_figure"} <= set(nodes)
        assert "sna_generator.train" not in nodes_of(method_pipeline("fdrl_eca"))
    finally:
        choose({})
    assert "sna_generator.train" not in nodes_of(method_pipeline("baseline"))


@pytest.mark.parametrize("name", ["two_scale", "sna_autoencoder", "sna_generator"])
def test_what_draws_neighbours_is_not_masked_by_them(name):
    try:
        with pytest.raises(ParameterError, match=rf"{name}\.training\.neighbourhood_mask is set, .* run sna"):
            choose({name: {"training": {"neighbourhood_mask": MASK}}})
    finally:
        choose({})


def test_a_row_is_named_by_what_its_run_adds():
    assert run("sna", MASK).row("sna") == "sna"
    assert run("sna", {"threshold": 0.2}, label_noise=0.25).row("sna") == "sna T 0.2 noise 25 %"
    assert run("baseline", MASK).row("baseline_mat") == "baseline_mat mask"
    assert run("two_scale").row("two_scale") == "two_scale"


def test_sna_without_its_mask_is_told_what_it_is():
    with pytest.raises(ValidationError, match="sna without its neighbourhood mask is two_scale"):
        run("sna")


def test_a_mask_or_noise_that_would_not_be_read_is_refused_before_anything_runs():
    with pytest.raises(ValidationError, match="which dfem does not read; leave it null"):
        MethodRun.model_validate(
            {"method": "dfem", "datasets": ["a"], "seed": 0, "images": IMAGES, "settings": {}}
            | {"training": {"neighbourhood_mask": MASK}}
        )
    with pytest.raises(ValidationError, match=r"label_noise is 0\.2, but sna_autoencoder reads no label; set it to 0"):
        run("sna_autoencoder", label_noise=0.2)


def test_a_masked_training_without_a_mask_says_what_to_do(tmp_path):
    with pytest.raises(ParameterError, match=r"two_scale\.training\.neighbourhood_mask is null; give it a threshold"):
        train_masked(run("two_scale"), tmp_path)


@pytest.mark.parametrize("method", ["sna", "baseline"])
def test_who_is_masked_is_noted_for_each_epoch_with_the_true_label(tables, generators, tmp_path, method):
    images = IMAGES | ({"size": None, "crop": 64} if method == "baseline" else {})
    asked = run(method, MASK, label_noise=0.25, images=images)
    states, history, about, masked = train_masked(asked, tmp_path, *tables, generators)
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

    asked = run("sna", MASK)
    whole = train_masked(asked, tmp_path / "whole", *tables, generators)
    taken, step = [], TwoScale.step

    def breaking(self, batch, stage):
        if len(taken) == 3:
            raise KeyboardInterrupt
        taken.append(None)
        return step(self, batch, stage)

    monkeypatch.setattr(TwoScale, "step", breaking)
    often = asked.model_copy(update={"training": asked.training.model_copy(update={"checkpoint_minutes": 0.0})})
    with pytest.raises(KeyboardInterrupt):
        train_masked(often, tmp_path / "broken", *tables, generators)
    monkeypatch.setattr(TwoScale, "step", step)
    resumed = train_masked(often, tmp_path / "broken", *tables, generators)
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
    states, _, _ = train(asked.model_copy(update={"settings": settings}), tmp_path, rows, store, fewer)
    names = states["last"].facts["classes"]["expression"]
    weights = {names[label]: weight for label, weight in seen}
    counts = rows[rows["sample_id"].isin(fewer[fewer["role"] == "train"]["sample_id"])]["expression"].value_counts()
    assert counts["fear"] == 1
    assert weights == pytest.approx({name: counts.sum() / (7 * count) for name, count in counts.items()})


def test_an_autoencoder_needs_no_label(tables, tmp_path):
    rows = tables[0].assign(expression=pd.Series([None] * 56, dtype="str"))
    asked = run("sna_autoencoder", epochs=1)
    states, history, _ = train(asked, tmp_path, rows, *tables[1:])
    assert states["last"].facts["classes"] == {}
    assert set(history["split"]) == {"train"}


def test_pictures_of_neighbours_show_faces_and_move(tables, generators, tmp_path):
    before = run("sna_autoencoder", epochs=1)
    states, _, _ = train(before, tmp_path, *tables)
    autoencoders = {"last": lambda: states["last"]}
    asked = run("sna_generator")
    asked = asked.model_copy(update={"settings": asked.settings.model_copy(update={"decoder": "symmetric"})})
    picture = np.asarray(sheet(asked, generators, before, autoencoders, *tables))
    assert picture.std() > 20
    pictures = [np.asarray(own, dtype=int) for own in animation(asked, generators, *tables)]
    assert len({own.shape for own in pictures}) == 1
    assert abs(pictures[0] - pictures[6]).max() > 0
    assert abs(pictures[1] - pictures[11]).max() <= 1  # there and back
    table, figure = change(asked, generators, before, autoencoders, *tables)
    assert table["region"].tolist() == ["all", "brows", "eyes", "nose", "mouth", "rest"]
    assert set(table["n"]) == {14}
    assert table["pixels"].iloc[0] == table["pixels"].iloc[1:].sum() == SIDE**2
    assert np.isfinite(table[["psnr_autoencoder", "psnr_refined", "neighbour_change"]]).all(axis=None)
    figure.canvas.draw()


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
