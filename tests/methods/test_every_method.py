"""What every registered method must do, whatever paper it is from."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.methods.shallow import shallow_networks
from tests.methods.trial import ADAM, CPU, HELD_OUT, TRAIN, Trial, trained

from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build
from openfer.nn.undrawn import Undrawn
from openfer.training import batches
from openfer.training.checks import check_weights
from openfer.training.device import resolve
from openfer.training.grad_cam import LEAST_CELLS, grad_cam
from openfer.training.loop import fit
from openfer.training.predict import predict
from openfer.training.representations import representations
from openfer.training.resume import ResumeFile
from openfer.training.soft_labels import soft_labels

EASIER = {"esr": {"attention": False, "diversify": ()}, "addl_va": {"dropout": 0.0}}
"""What lets a method learn within forty steps: gates behind all of ESR's eight layers make it need some hundreds, and
addl_va reads its values off logits that dropout shakes, of an ADDL that is not trained here."""

LONGER = {"oadn": 40, "scn": 40}
"""Times that a method sees each face at most, where twenty, which are forty steps, are too few to be sure. Of five
seeds OADN needs 28 to 35 steps and the others on a ResNet 8 to 26; with a rate of zero none of five methods passes."""

AGAINST_OTHERS = ("adversarial", "attention_transfer", "attention", "mutual_information")
"""Terms that do not fall to zero however well a method learns, as another network answers them."""


OPTIONS = {
    **ADAM,
    "optimiser": "adamw",
    "learning_rate_schedule": "cosine",
    "warmup_epochs": 1,
    "sam_radius": 0.05,
    "clip_norm": 1.0,
    "average_decay": 0.5,
}


@pytest.fixture(autouse=True)
def _one_thread():
    """Two threads wait for each other where other programs run too, and these networks are small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def _shallow():
    with shallow_networks():
        yield


@pytest.fixture(scope="module")
def trials(tiny_faces):
    """Return the trial of a method by its name, whose prerequisites are made once."""
    return functools.cache(lambda name: Trial(name, tiny_faces))


@pytest.fixture(params=METHODS.names(), scope="module")
def trial(request, trials):
    return trials(request.param)


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_builds_with_parameters_and_players_that_own_them(trial):
    method = trial.build()
    assert method.name == trial.name
    assert sum(parameter.numel() for parameter in method.parameters()) > 0
    own = {
        id(parameter) for key, parameter in method.named_parameters() if key.split(".")[0] not in method.prerequisites
    }
    for stage in method.stages():
        names = [player.name for player in stage.players]
        assert len(set(names)) == len(names)
        owned = [id(parameter) for player in stage.players for parameter in player.parameters]
        assert len(set(owned)) == len(owned), "a parameter has two players"
        assert set(owned) <= own, "a player owns a parameter of a prerequisite"


def test_its_variants_are_named_by_the_settings_that_make_them(trial):
    for name, settings in trial.declared.variants.items():
        with Undrawn():
            assert build(trial.name, settings, trial.classes).variant == name


TRAIN_AS_ANOTHER = {"ddl_ga", "ddl_gar_id_il", "ddl_gar_id_il_p"}
"""Rows that are the same network here as a row before: a trial has no labels of age, illumination and pose,
so that ``ddl_ga`` is ``ddl_g`` and the last two are ``ddl_gar_id``."""

ROWS = [
    (name, row)
    for name in METHODS
    for row in METHODS[name].variants
    if row not in TRAIN_AS_ANOTHER and not row.startswith("esr-15")
]
"""Fifteen branches train as nine do: here two."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_row_trains_predicts_and_is_what_its_checkpoint_says(name, row, trials, tmp_path):
    trial = trials(name)
    changes = dict(trial.declared.settings.model_validate(trial.declared.variants[row]))
    method = trial.build(**changes)
    fitted = trained(method, trial.data(), tmp_path)
    save_checkpoint(tmp_path / "weights.safetensors", fitted.states["last"])
    answers = []
    for state in (fitted.states["last"], load_checkpoint(tmp_path / "weights.safetensors")):
        with Undrawn():
            other = build(trial.name, method.config, trial.classes)
        other.load_own_state(state.tensors)
        answers.append(predict(other, trial.dataset(HELD_OUT), CPU))
    for task in trial.classes:
        assert np.isfinite(answers[0].probabilities[task]).all()
        np.testing.assert_array_equal(answers[0].probabilities[task], answers[1].probabilities[task])


def test_its_step_names_finite_losses_for_every_player(trial):
    method = trial.build()
    faces = trial.dataset(TRAIN)
    (batch,) = batches.Loader(faces, resolve(CPU)).batches(batches.testing_batches(faces, len(faces)))
    for stage in method.stages():
        losses = method.step(batch, stage)
        assert list(losses) == [player.name for player in stage.players]
        for terms in losses.values():
            assert all(value.ndim == 0 and value.isfinite() for value in terms.values())
            assert terms["total"].requires_grad


def test_terms_that_read_labels_obey_the_weights_of_samples(trial):
    """With all weights 0 such a term is 0, as are those that are made of such terms alone; the others stay."""
    method = trial.build()
    if not trial.declared.supports_sample_weights:
        with pytest.raises(ParameterError, match=f"which {trial.name} does not read"):
            check_weights(method, masked=True, weighted=[])
        return
    faces = trial.dataset(TRAIN)
    (batch,) = batches.Loader(faces, resolve(CPU)).batches(batches.testing_batches(faces, len(faces)))

    def losses(weights):
        torch.manual_seed(0)
        found = method.eval().step(replace(batch, weights=weights), method.stages()[-1])
        return {f"{player}/{name}": value.item() for player, own in found.items() for name, value in own.items()}

    plain, ones, zeros, halves = (
        losses(weights) for weights in (None, *(torch.full((len(TRAIN),), value) for value in (1.0, 0.0, 0.5)))
    )
    assert ones == pytest.approx(plain, rel=1e-5)
    reading = [name for name, value in zeros.items() if value == 0 != plain[name]]
    assert reading
    for name in plain:
        if not name.endswith("/total"):
            assert zeros[name] == pytest.approx(0 if name in reading else plain[name], rel=1e-5)
            assert halves[name] == pytest.approx(plain[name] * (0.5 if name in reading else 1), rel=1e-4)


SOFT = ("addl", "addl_va", "baseline", "esr", "fdrl_eca", "geometry", "manet", "oadn", "probe")


def test_methods_whose_loss_is_a_cross_entropy_learn_from_probabilities_and_the_others_refuse_them(trial):
    assert trial.declared.supports_soft_labels == (trial.name in SOFT)
    for votes, smoothing in ((True, 0.0), (False, 0.1)):
        if trial.name not in SOFT:
            with pytest.raises(ParameterError, match=f"the losses of {trial.name} compare with one class") as refused:
                trial.declared.refuse_soft_labels(votes, smoothing)
            assert str(refused.value).count(". ") == 0
    if trial.name not in SOFT:
        return
    method, faces = trial.build(), trial.dataset(TRAIN)
    (batch,) = batches.Loader(faces, resolve(CPU)).batches(batches.testing_batches(faces, len(faces)))

    def losses(**truth):
        torch.manual_seed(0)
        found = method.eval().step(replace(batch, **truth), method.stages()[-1])
        return {name: value.item() for name, value in found[method.stages()[-1].players[0].name].items()}

    labels, classes = batch.labels["expression"], len(method.classes["expression"])
    sure, wrong = (soft_labels(own, classes, 0.0) for own in (labels, (labels + 1) % classes))
    plain = losses()
    assert losses(soft_labels={"expression": sure}) == pytest.approx(plain, rel=1e-4, abs=1e-6)
    half, other, twice = (losses(soft_labels={"expression": truth}) for truth in ((sure + wrong) / 2, wrong, 2 * sure))
    assert half["total"] == pytest.approx((plain["total"] + other["total"]) / 2, rel=1e-4)  # linear in the labels
    assert twice["total"] != pytest.approx(plain["total"], rel=1e-2)


class LearnedError(Exception):
    """Raised within a step to end a training that has shown what it was to show."""


@pytest.mark.slow
def test_it_learns_a_handful_of_faces(trial, tmp_path, monkeypatch):
    method = trial.build(**EASIER.get(trial.name, {}))
    first = method.stages()[0]
    monkeypatch.setattr(method, "stages", lambda: (first,))
    watch_until_learned(method, first.players[0].name, monkeypatch)
    with pytest.raises(LearnedError):
        trained(method, trial.data(LONGER.get(trial.name, 20)), tmp_path)


@pytest.mark.slow
def test_it_trains_with_every_option_of_a_schedule_and_predicts_by_averaged_weights(trial, tmp_path, monkeypatch):
    method = trial.build(epochs=1)
    stages = [replace(stage, schedule=stage.schedule.model_copy(update=OPTIONS)) for stage in method.stages()]
    monkeypatch.setattr(method, "stages", lambda: stages)
    fitted = trained(method, trial.data(), tmp_path)
    assert fitted.history["value"].map(np.isfinite).all()
    assert equal(fitted.states["last"].tensors, method.own_state())
    for probabilities in predict(method, trial.dataset(HELD_OUT), CPU).probabilities.values():
        assert np.isfinite(probabilities).all()


def watch_until_learned(method, player, monkeypatch):
    """Let the step of a method raise an error when what its player can lose has fallen by 40 %, over six steps."""
    step, seen = method.step, []

    def watched(batch, stage):
        losses = step(batch, stage)
        terms = {name: value.item() for name, value in losses[player].items() if not name.startswith("watch/")}
        seen.append(terms.pop("total") - sum(terms.get(name, 0.0) for name in AGAINST_OTHERS))
        if len(seen) >= 8 and np.mean(seen[-6:]) < 0.6 * np.mean(seen[:2]):
            raise LearnedError
        return losses

    monkeypatch.setattr(method, "step", watched)


def test_it_predicts_probabilities_and_is_what_its_checkpoint_says(trial, tmp_path):
    method = trial.build()
    dataset = trial.dataset(HELD_OUT)
    predicted = predict(method, dataset, CPU)
    assert predicted.features.shape[0] == len(dataset)
    for task, names in trial.classes.items():
        assert predicted.probabilities[task].shape == (len(dataset), len(names))
        np.testing.assert_allclose(predicted.probabilities[task].sum(1), 1, rtol=1e-5)

    save_checkpoint(tmp_path / "weights.safetensors", Checkpoint(method.own_state()))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with Undrawn():
        other = build(trial.name, method.config, trial.classes)
    assert torch.equal(torch.get_rng_state(), before)
    other.load_own_state(load_checkpoint(tmp_path / "weights.safetensors").tensors)
    again = predict(other, dataset, CPU)
    assert all((again.probabilities[task] == predicted.probabilities[task]).all() for task in trial.classes)
    assert list(predicted.values) == list(trial.declared.regression_targets)
    for name, values in predicted.values.items():
        assert values.shape == (len(dataset),)
        assert (again.values[name] == values).all()


def test_its_expression_feature_is_what_its_classifier_reads(trial):
    method = trial.build()
    faces = trial.dataset(HELD_OUT)
    found = representations(method, faces, CPU)
    np.testing.assert_array_equal(found["expression"], predict(method, faces, CPU).features)
    assert {(len(own), own.ndim, own.dtype.name) for own in found.values()} == {(len(faces), 2, "float32")}


def test_it_shows_where_it_looks_and_stays_as_it_was(trial):
    method = trial.build().train()
    if not trial.declared.looks_at_pixels:
        assert not any(isinstance(layer, torch.nn.Conv2d) for layer in method.modules())
        return
    settle(method, trial.dataset(HELD_OUT))
    state = {name: value.clone() for name, value in method.state_dict().items()}
    modes = [module.training for module in method.modules()]
    seen = grad_cam(method, trial.dataset(HELD_OUT), CPU)
    assert list(seen) == list(method.classes)
    for task, where in seen.items():
        assert where.predicted.shape == HELD_OUT.shape
        assert (where.predicted < len(trial.classes[task])).all()
        for maps in (where.of_predicted, where.of_true):
            assert len(maps) == len(HELD_OUT)
            assert min(maps.shape[1:]) >= LEAST_CELLS
            assert np.isfinite(maps).all()
            assert (maps >= 0).all()
            assert maps.any()
    assert equal(method.state_dict(), state)
    assert [module.training for module in method.modules()] == modes
    assert all(parameter.grad is None for parameter in method.parameters())


@torch.no_grad()
def settle(method, faces):
    """Let batch normalisation know these faces: without statistics a deep network answers the same to all."""
    layers = [layer for layer in method.modules() if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)]
    for layer in layers:
        layer.momentum = 1.0
    (batch,) = batches.Loader(faces, resolve(CPU)).batches(batches.testing_batches(faces, len(faces)))
    method(*method.inputs(batch))


@pytest.mark.slow
def test_it_ends_bit_identically_from_a_file_of_the_middle_of_an_epoch(trial, tmp_path: Path):
    whole = trained_with_a_file_of_the_middle(trial, tmp_path)
    resumed = trained(trial.build(epochs=2), trial.data(), tmp_path)
    assert equal(resumed.states["last"].tensors, whole.states["last"].tensors)


def trained_with_a_file_of_the_middle(trial, work: Path):
    """Train for four steps, with a resume file of the moment before the last, the second of the second epoch."""
    method = trial.build(epochs=2)
    step, begun, save = method.step, 0, ResumeFile.save

    def counted(batch, stage):
        nonlocal begun
        begun += 1
        return step(batch, stage)

    method.step = counted
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResumeFile, "is_due", property(lambda _: begun == 3))
        patch.setattr(ResumeFile, "save", lambda file: save(file) if file.is_due else None)
        return fit(method, trial.data(), CPU, 0, work)
