"""Continuous labels: from the data to the loss, and how an epoch is chosen by them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_method import CLASSES, COUNT, SmallMethod, SmallSettings, painted_store, same_tensors

from openfer.errors import DataError, ParameterError, TrainingError
from openfer.losses.concordance import concordance, concordance_loss
from openfer.losses.root_mean_square import root_mean_square
from openfer.methods.contract import MISSING, Player, Prediction, Schedule, Stage, total
from openfer.training import batches
from openfer.training.checks import check_rated
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import ConcatFaces, FaceDataset
from openfer.training.device import resolve
from openfer.training.loop import FitData, fit
from openfer.training.predict import predict
from openfer.training.recipe import fingerprint_of_faces
from openfer.training.selection import Selector

NAMES = ("valence", "arousal")
CPU = TrainingConfig(device="cpu", precision="float32", workers=0)


class Regressing(SmallMethod):
    """Colours as before, and two values of them."""

    declared = replace(SmallMethod.declared, regression_targets=NAMES)

    def __init__(self, config=None, classes=CLASSES):
        super().__init__(config or SmallSettings(), classes)
        self.values = torch.nn.Linear(8, 2)

    def stages(self):
        (stage,) = super().stages()
        main, opponent = stage.players
        return (
            Stage(
                stage.name, stage.schedule, (Player("main", (*main.parameters, *self.values.parameters())), opponent)
            ),
        )

    def step(self, batch, stage):
        losses = super().step(batch, stage)
        true = torch.stack([batch.targets[name] for name in NAMES], 1)
        terms = {name: value for name, value in losses["main"].items() if name != "total"}
        terms["concordance"] = concordance_loss(self.values(self.trunk(batch.images).mean((2, 3))), true)
        return losses | {"main": total(terms)}

    def forward(self, images):
        feature = self.trunk(images).mean((2, 3))
        values = dict(zip(NAMES, self.values(feature).unbind(1), strict=True))
        return Prediction({"expression": self.head(feature)}, feature, values=values)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


def targets_of(rows):
    """The colour says valence; every fifth face is not rated, every seventh not for arousal either."""
    rows = np.asarray(rows)
    valence, arousal = (rows % 3 - 1) / 2, (rows % 2) / 2
    return {"valence": np.where(rows % 5 == 4, np.nan, valence), "arousal": np.where(rows % 7 == 6, np.nan, arousal)}


def faces(store, rows, targets=None, *, training=False, flip=True):
    rows = np.asarray(rows)
    images = ImageSettings(crop=20, flip=flip)
    values = targets_of(rows) if targets is None else targets
    return FaceDataset(store, rows, {"expression": rows % 3}, images, 5, training, targets=values)


def data(store, **replaced):
    sets = {"train": faces(store, range(17), training=True), "validation": faces(store, range(17, COUNT))}
    return FitData(**(sets | replaced))


def fresh():
    torch.manual_seed(0)
    return Regressing()


def unrated(store, rows):
    return faces(store, rows, {name: np.full(len(rows), np.nan) for name in NAMES})


def test_a_face_keeps_its_values_however_it_is_cropped_and_flipped(store):
    dataset = faces(store, range(COUNT), training=True)
    expected = targets_of(range(COUNT))
    for epoch in range(3):
        for name in NAMES:
            found = [dataset[epoch, index].targets[name] for index in range(COUNT)]
            np.testing.assert_allclose(found, expected[name])


def test_batches_carry_values_with_nan_where_nobody_rated(store):
    dataset = ConcatFaces([faces(store, range(9)), faces(store, range(9, COUNT))])
    loaded = list(batches.Loader(dataset, resolve(CPU)).batches(batches.testing_batches(dataset, 7)))
    for name, expected in targets_of(range(COUNT)).items():
        found = torch.cat([batch.targets[name] for batch in loaded])
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


def test_batches_of_a_method_that_regresses_nothing_have_no_values(store):
    dataset = faces(store, range(4), {})
    (batch,) = batches.Loader(dataset, resolve(CPU)).batches(batches.testing_batches(dataset, 4))
    assert batch.targets == {}


def test_values_of_another_number_are_refused(store):
    with pytest.raises(DataError, match=r"3 values of valence for 4 faces of .*; give one each"):
        faces(store, range(4), {"valence": np.zeros(3)})


def test_other_values_are_another_training_and_none_the_same_as_ever(store):
    rated, plain = faces(store, range(6)), faces(store, range(6), {})
    moved = faces(store, range(6), {name: values + 0.1 for name, values in targets_of(range(6)).items()})
    assert len({fingerprint_of_faces(each) for each in (rated, plain, moved)}) == 3


def test_history_holds_agreement_and_error_of_each_value_over_the_rated_faces(tmp_path, store):
    method = fresh()
    fitted = fit(method, data(store), CPU, 3, tmp_path)
    last = fitted.history[(fitted.history["epoch"] == 3) & (fitted.history["split"] == "val")]
    found = last.set_index("name")["value"]
    assert set(found.index) == {
        "accuracy/expression",
        *(f"{kind}/{name}" for kind in ("ccc", "rmse") for name in NAMES),
    }
    held = faces(store, range(17, COUNT))
    predicted = predict(method, held, CPU).values
    own, true = (
        torch.stack([torch.tensor(values[name]).double() for name in NAMES], 1) for values in (predicted, held.targets)
    )
    for kind, measure in (("ccc", concordance), ("rmse", root_mean_square)):
        for name, value in zip(NAMES, measure(own, true).tolist(), strict=True):
            assert found[f"{kind}/{name}"] == pytest.approx(value, abs=1e-6)


def test_the_best_epoch_is_the_one_with_the_best_mean_agreement_and_not_the_most_accurate(tmp_path, store, monkeypatch):
    from openfer.training import validation

    given = iter([(0.9, -1.0, -1.0), (0.1, 0.8, 0.1), (0.5, 0.5, 0.3)])

    def found(*_):
        accuracy, valence, arousal = next(given)
        return {"accuracy/expression": accuracy, "ccc/valence": valence, "ccc/arousal": arousal, "rmse/valence": 0.1}

    monkeypatch.setattr(validation, "scores", found)
    fitted = fit(fresh(), data(store), CPU, 3, tmp_path)
    facts = fitted.states["best_val"].facts
    assert (facts["epoch"], facts["validation"]) == (2, pytest.approx(0.45))
    assert fitted.states["last"].facts["validation"] == pytest.approx(0.4)


def test_an_epoch_that_disagrees_wholly_is_still_the_best_of_one(tmp_path, store, monkeypatch):
    from openfer.training import validation

    monkeypatch.setattr(validation, "scores", lambda *_: {f"ccc/{name}": -1.0 for name in NAMES})
    assert fit(fresh(), data(store), CPU, 3, tmp_path).states["best_val"].facts["epoch"] == 1


def test_a_run_that_was_broken_off_ends_as_one_that_was_not(tmp_path, store):
    method = fresh()
    step, done = method.step, 0

    def breaking(batch, stage):
        nonlocal done
        if done == 4:
            raise KeyboardInterrupt
        done += 1
        return step(batch, stage)

    method.step = breaking
    often = CPU.model_copy(update={"checkpoint_minutes": 0.0})
    with pytest.raises(KeyboardInterrupt):
        fit(method, data(store), often, 3, tmp_path / "broken")
    resumed, whole = (fit(fresh(), data(store), often, 3, tmp_path / place) for place in ("broken", "whole"))
    assert same_tensors(resumed.states["best_val"].tensors, whole.states["best_val"].tensors)
    assert json.loads(resumed.history[resumed.history["split"] == "val"].to_json()) == json.loads(
        whole.history[whole.history["split"] == "val"].to_json()
    )


def test_a_training_set_that_nobody_rated_is_refused(tmp_path, store):
    with pytest.raises(DataError, match="no two values of valence that differ: of its 17 samples none rated"):
        fit(fresh(), data(store, train=unrated(store, range(17))), CPU, 3, tmp_path)
    same = {name: np.full(17, 0.25) for name in NAMES}
    with pytest.raises(DataError, match=r"of its 17 samples 17 rated, all of them 0\.25"):
        fit(fresh(), data(store, train=faces(store, range(17), same)), CPU, 3, tmp_path)


def test_a_validation_set_that_nobody_rated_chooses_no_epoch(tmp_path, store):
    held = unrated(store, range(17, COUNT))
    with pytest.raises(
        DataError, match="no sample of the validation set is labelled for valence, arousal, so best_val"
    ):
        fit(fresh(), data(store, validation=held), CPU, 3, tmp_path)
    only_last = CPU.model_copy(update={"selections": ("last",)})
    fitted = fit(fresh(), data(store, validation=held), only_last, 3, tmp_path)
    assert fitted.states["last"].facts["validation"] is None


def test_data_without_any_values_is_refused(tmp_path, store):
    with pytest.raises(DataError, match="the training set has no values of valence, arousal"):
        fit(fresh(), data(store, train=faces(store, range(17), {})), CPU, 3, tmp_path)


def test_a_rule_by_classes_is_refused_where_it_would_leave_out_rated_faces(store):
    labels = np.array([0, 1, 2, MISSING, MISSING, 1])
    rated = faces(store, range(6), {name: np.linspace(-1, 1, 6) for name in NAMES})
    stages = [
        Stage("plain", Schedule(epochs=1, batch_size=2, learning_rate=0.1), ()),
        Stage("dealt", Schedule(epochs=1, batch_size=2, learning_rate=0.1, sampling={"kind": "oversampled"}), ()),
    ]
    with pytest.raises(ParameterError, match=r"stage dealt has .*oversampled.*, which leaves out 2 samples"):
        check_rated(rated, stages, labels)
    check_rated(rated, stages[:1], labels)
    check_rated(unrated(store, range(6)), stages, labels)


def test_a_score_that_is_no_number_is_an_error_and_not_the_best_for_ever():
    with pytest.raises(TrainingError, match=r"epoch 2 scores nan on val, by which best_val is chosen"):
        Selector(("best_val",)).consider(fresh(), {"val": float("nan")}, 2)
