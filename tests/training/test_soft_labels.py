"""Soft labels: what they are, who is given them, and that they survive an interruption."""

import numpy as np
import pytest
import torch
from small_method import STEPS, SmallMethod, SmallSettings, fit_data, interrupt, painted_store, same_tensors, train

from openfer.errors import CheckpointError, ParameterError
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.declaration import Declaration
from openfer.training.config import TrainingConfig
from openfer.training.loop import FitData, fit
from openfer.training.soft_labels import soft_labels

VOTES = np.array([[8, 2, 0], [0, 0, 0], [0, 3, 1], [5, 5, 0]], np.float32)
LABELS = torch.tensor([0, 2, -1, 1])


class Soft(SmallMethod):
    """Learns from soft labels, and notes those that it is given."""

    declared = Declaration("small", SmallSettings, lambda: Soft, supports_soft_labels=True)

    def __init__(self, **schedule):
        super().__init__(SmallSettings(schedule=SmallSettings().schedule.model_copy(update=schedule)))
        self.seen = []

    def step(self, batch, stage):
        losses = super().step(batch, stage)
        self.seen.append(batch)
        loss = masked_cross_entropy(self(batch.images).logits["expression"], batch.truth("expression"))
        return losses | {"main": losses["main"] | {"total": loss}}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


def soft(**schedule):
    torch.manual_seed(0)
    return Soft(**schedule)


def votes_of(count):
    return np.random.default_rng(0).multinomial(10, (0.6, 0.3, 0.1), count).astype(np.float32)


def with_votes(store, work, method, votes):
    data = fit_data(store)
    data = FitData(data.train, data.validation, votes=votes)
    config = TrainingConfig(device="cpu", precision="float32", workers=0, checkpoint_minutes=0)
    return fit(method, data, config, 3, work)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("votes", [None, VOTES])
def test_they_are_those_of_a_naive_loop(smoothing, votes):
    found = soft_labels(LABELS, 3, smoothing, votes).tolist()
    for number, (label, row) in enumerate(zip(LABELS.tolist(), found, strict=True)):
        own = [0.0] * 3 if votes is None else votes[number].tolist()
        shares = [vote / sum(own) for vote in own] if sum(own) else [float(k == label) for k in range(3)]
        expected = [0.0] * 3 if label < 0 else [(1 - smoothing) * share + smoothing / 3 for share in shares]
        assert row == pytest.approx(expected)


def test_every_face_is_given_its_own_votes(tmp_path, store):
    method, votes = soft(), votes_of(17)
    with_votes(store, tmp_path, method, votes)
    given = torch.cat([batch.soft_labels["expression"] for batch in method.seen[:STEPS]])
    labels = torch.cat([batch.labels["expression"] for batch in method.seen[:STEPS]])
    for label in range(3):
        ours = sorted(map(tuple, given[labels == label].tolist()))
        theirs = sorted(map(tuple, (torch.from_numpy(votes[label::3]) / 10).tolist()))
        assert np.allclose(ours, theirs)


def test_without_votes_and_smoothing_a_method_gets_classes_alone(tmp_path, store):
    method = soft()
    train(store, tmp_path, method)
    assert not any(batch.soft_labels for batch in method.seen)
    assert method.seen[0].truth("expression") is method.seen[0].labels["expression"]


@pytest.mark.parametrize("after", [1, STEPS, STEPS + 2])
def test_an_interrupted_run_with_smoothing_and_averages_ends_bit_identically(tmp_path, store, after):
    options = {"label_smoothing": 0.1, "average_decay": 0.9, "learning_rate_schedule": "cosine", "warmup_epochs": 1}
    options |= {"milestones": ()}
    interrupt(tmp_path / "work", store, after, soft(**options), checkpoint_minutes=0)
    resumed = train(store, tmp_path / "work", soft(**options), checkpoint_minutes=0)
    whole = train(store, tmp_path / "whole", soft(**options))
    for selection in ("last", "best_val"):
        assert same_tensors(resumed.states[selection].tensors, whole.states[selection].tensors)


def test_a_run_with_other_votes_is_another_run(tmp_path, store):
    votes = votes_of(17)
    with_votes(store, tmp_path, soft(), votes)
    with pytest.raises(CheckpointError, match="votes was"):
        with_votes(store, tmp_path, soft(), votes[:, ::-1].copy())


def test_a_method_whose_losses_compare_with_classes_is_given_none(tmp_path, store):
    method = SmallMethod(SmallSettings(schedule=SmallSettings().schedule.model_copy(update={"label_smoothing": 0.1})))
    with pytest.raises(
        ParameterError, match=r"label_smoothing is 0\.1, but the losses of small compare with one class"
    ):
        train(store, tmp_path, method)
    with pytest.raises(ParameterError, match=r"training\.labels is votes, but the losses of small"):
        with_votes(store, tmp_path, SmallMethod(), votes_of(17))
