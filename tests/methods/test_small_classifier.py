"""Small classifiers of what is known of a face beside its pixels: what they read, and what a class counts."""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from tests.methods.trial import HELD_OUT, Trial

from openfer.labels import MISSING
from openfer.methods.contract import Batch
from openfer.methods.declared.geometry import GeometrySettings

BLENDSHAPES, MESH = slice(0, 52), slice(52, None)


@pytest.fixture(scope="module")
def trial(tiny_faces) -> Trial:
    return Trial("geometry", tiny_faces)


@pytest.fixture(scope="module")
def batch(trial: Trial) -> Batch:
    labels = torch.from_numpy(trial.faces.labels("expression")[HELD_OUT])
    return Batch(torch.zeros(len(HELD_OUT), 0), {"expression": labels}, extras={"geometry": geometry_of(trial)})


def geometry_of(trial: Trial) -> torch.Tensor:
    measured = torch.as_tensor(trial.extra("geometry")[HELD_OUT])
    return measured[:, 0] if measured.ndim == 3 else measured  # of a face and its mirror image, the face


@pytest.mark.parametrize(("reads", "read", "unread"), [("blendshapes", BLENDSHAPES, MESH), ("mesh", MESH, BLENDSHAPES)])
def test_geometry_reads_what_is_asked_and_nothing_else(
    trial: Trial, batch: Batch, reads: str, read: slice, unread: slice
) -> None:
    method = trial.build(reads=reads).eval()
    asked = [batch.extras["geometry"].clone() for _ in range(3)]
    asked[1][:, unread] += 1
    asked[2][:, read] += 1
    told, same, other = (method(batch.images, {"geometry": geometry}).logits["expression"] for geometry in asked)
    assert torch.equal(told, same)
    assert not torch.equal(told, other)


def test_a_class_of_weight_two_counts_as_if_each_of_its_faces_were_there_twice(trial: Trial, batch: Batch) -> None:
    method = trial.build(class_weights={"happiness": 2.0}).eval()
    labels = batch.labels["expression"].clone()
    happy = list(method.classes["expression"]).index("happiness")
    labels[int((labels != happy).int().argmax())] = MISSING
    logits = method(batch.images, batch.extras).logits["expression"].log_softmax(1).detach()
    summed = 0.0
    for row, label in zip(logits, labels.tolist(), strict=True):
        if label != MISSING:
            summed -= float(row[label]) * (2 if label == happy else 1)
    loss = method.step(replace(batch, labels={"expression": labels}), method.stages()[0])["main"]["total"]
    assert happy in labels
    assert loss.item() == pytest.approx(summed / 6, rel=1e-5)


def test_a_face_with_votes_has_the_mean_weight_of_its_votes(trial: Trial, batch: Batch) -> None:
    method = trial.build(class_weights={"happiness": 3.0}).eval()
    names = list(method.classes["expression"])
    votes = torch.zeros(len(HELD_OUT), len(names))
    votes[:, names.index("happiness")], votes[:, names.index("neutral")] = 0.25, 0.75
    logits = method(batch.images, batch.extras).logits["expression"].log_softmax(1).detach()
    expected = -1.5 * (votes * logits).sum(1).mean()
    soft = replace(batch, soft_labels={"expression": votes})
    assert method.step(soft, method.stages()[0])["main"]["total"].item() == pytest.approx(float(expected), rel=1e-5)


def test_an_unknown_expression_has_no_weight() -> None:
    with pytest.raises(ValidationError, match="class_weights names joy; the expressions are"):
        GeometrySettings(class_weights={"joy": 2.0})
