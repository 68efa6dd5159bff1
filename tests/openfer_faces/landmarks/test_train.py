from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from openfer.errors import CheckpointError, DataError
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from openfer_faces.landmarks import train as training
from openfer_faces.landmarks.choose import landmarker, raw_landmarker, with_calibration
from openfer_faces.landmarks.heatmap import from_checkpoint, to_checkpoint
from openfer_faces.landmarks.known import KnownFaces, held_out
from openfer_faces.landmarks.network import HeatmapNetwork
from openfer_faces.landmarks.raw import fit_on
from openfer_faces.landmarks.settings import AugmentSettings, HeatmapSettings, LandmarkerChoice

CALM = AugmentSettings(occluded_share=0.0, background_share=0.0)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_training_brings_points_nearer_to_the_truth(
    known: KnownFaces, settings: HeatmapSettings, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"epochs": 12, "learning_rate": 0.01, "augment": CALM})
    network, history = training.train(known, known, settings, tmp_path)
    assert [record["epoch"] for record in history] == list(range(1, 13))
    # Over ten seeds, without vector instructions: -1.39 (deviation 0.08), -0.25 (0.02), and a share of 0.21 (0.03).
    assert history[-1]["place"] < history[0]["place"] - 0.5
    assert history[-1]["visibility"] < history[0]["visibility"]
    torch.manual_seed(0)
    untrained = training.validation_error(HeatmapNetwork(settings.width), known, settings)
    assert history[-1]["validation_nme"] < untrained / 2
    assert not network.training


def test_a_killed_training_goes_on_to_the_same_bits(
    known: KnownFaces, settings: HeatmapSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, history = training.train(known, known, settings, tmp_path / "whole")
    steps = [0]
    true_loss = training.landmark_loss

    def dies(*arguments: object) -> dict[str, torch.Tensor]:
        steps[0] += 1
        if steps[0] == 5:  # in the middle of the second epoch of three steps
            raise KeyboardInterrupt
        return true_loss(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(training, "landmark_loss", dies)
        with pytest.raises(KeyboardInterrupt):
            training.train(known, known, settings, tmp_path / "killed")
    resumed, later = training.train(known, known, settings, tmp_path / "killed")
    assert later == history
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_another_recipe_does_not_go_on_with_this_one(
    known: KnownFaces, settings: HeatmapSettings, tmp_path: Path
) -> None:
    training.train(known, known, settings.model_copy(update={"epochs": 1}), tmp_path)
    with pytest.raises(CheckpointError, match="other settings or faces"):
        training.train(known, known, settings, tmp_path)


def test_too_few_faces_are_said(known: KnownFaces, settings: HeatmapSettings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="56 faces do not fill a batch of 64"):
        training.train(known, known, settings.model_copy(update={"batch_size": 64}), tmp_path)


def test_a_checkpoint_gives_the_same_landmarks_with_a_confidence(
    known: KnownFaces, settings: HeatmapSettings, tmp_path: Path
) -> None:
    network = HeatmapNetwork(settings.width).eval()
    crops, points, visible = held_out(known, 64, settings.augment, 0)
    assert points.shape == (56, 68, 2)
    trained = to_checkpoint(network, settings, {"people": 7})
    choice = LandmarkerChoice(landmarker="heatmap")
    model = with_calibration(trained, "heatmap", fit_on(raw_landmarker(choice, trained), crops, visible))
    save_checkpoint(tmp_path / "model.safetensors", model)
    found = landmarker(choice, load_checkpoint(tmp_path / "model.safetensors"))
    first, second = found(list(crops)), landmarker(choice, model)(crops)
    assert first.points.shape == (56, 68, 2)
    assert first.confidence.shape == (56, 68)
    assert (first.confidence >= 0).all()
    assert (first.confidence <= 1).all()
    assert np.array_equal(first.points, second.points)
    assert found.licence.startswith("Apache-2.0")


def test_crops_of_any_size_give_points_in_their_own_pixels(known: KnownFaces, settings: HeatmapSettings) -> None:
    heatmap = from_checkpoint(to_checkpoint(HeatmapNetwork(settings.width), settings, {}))
    small = known[0].image
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    points, scores = heatmap.find([small, large])
    # an untrained network's maps have many equal peaks, of which the nearest to rounding wins
    assert np.median(abs(points[1] - 2 * points[0])) < 0.5
    assert scores.shape == (2, 68)


def test_what_was_never_calibrated_or_is_no_landmarker_is_refused(settings: HeatmapSettings) -> None:
    trained = to_checkpoint(HeatmapNetwork(settings.width), settings, {})
    with pytest.raises(CheckpointError, match="calibrations of no landmarker, none of heatmap"):
        landmarker(LandmarkerChoice(landmarker="heatmap"), trained)
    with pytest.raises(CheckpointError, match="not 'heatmap landmarks'"):
        from_checkpoint(Checkpoint({}, {"kind": "something"}))
    with pytest.raises(CheckpointError, match="do not fit their own settings"):
        from_checkpoint(Checkpoint({}, trained.facts))
