import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError

from openfer.labels import CELEBA_ATTRIBUTES, PRESENCE
from openfer.losses.margin import margin_cross_entropy
from openfer.methods.contract import MISSING, Batch
from openfer.methods.declaration import METHODS
from openfer.methods.declared.pretrain import PretrainSettings
from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters

PEOPLE = {"identity": ("ann", "bob", "cem", "dai")}


def batch(classes, count=4):
    torch.manual_seed(0)
    labels = {task: torch.arange(count) % len(names) for task, names in classes.items()}
    return Batch(torch.randn(count, 3, 40, 40), labels)


def pretrain(classes, **settings):
    torch.manual_seed(1)
    return build("pretrain", settings, classes)


def test_what_it_learns_is_decided_by_its_parameters():
    tasks = {
        learns: METHODS["pretrain"].tasks_of(PretrainSettings(learns=learns))
        for learns in ("attributes", "identity", "expression")
    }
    assert tasks == {
        "attributes": ("gender", "age", "race"),
        "identity": ("identity",),
        "expression": ("expression",),
    }


def test_the_forty_of_celeba_are_binary_tasks_on_one_trunk():
    settings = PretrainSettings(attributes="celeba")
    tasks = METHODS["pretrain"].tasks_of(settings)
    assert tasks == tuple(f"attribute/{name}" for name in CELEBA_ATTRIBUTES)
    method = build("pretrain", settings, dict.fromkeys(tasks, PRESENCE))
    assert count_parameters(method) == 11_176_512 + 40 * (512 * 2 + 2)
    logits = method.eval()(torch.randn(2, 3, 40, 40)).logits
    assert {task: tuple(values.shape) for task, values in logits.items()} == dict.fromkeys(tasks, (2, 2))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attributes": ["gendr"]}, "gendr is no attribute; give factors"),
        ({"attributes": []}, "at least 1"),
        ({"backbone": "vgg"}, r"no backbone 'vgg'; the backbones are resnet18, eca_resnet18"),
        ({"learns": "pose"}, "learns"),
    ],
)
def test_an_unknown_attribute_or_backbone_is_named_with_those_that_exist(settings, words):
    with pytest.raises(ValidationError, match=words):
        PretrainSettings.model_validate(settings)


def test_attributes_cost_the_mean_of_their_cross_entropies_each_over_its_labelled_samples():
    classes = {"gender": ("male", "female"), "attribute/Bald": PRESENCE, "attribute/Bangs": PRESENCE}
    method = pretrain(classes, attributes=["gender", "Bald", "Bangs"]).eval()
    seen = batch(classes)
    seen.labels["attribute/Bald"][:2] = MISSING
    seen.labels["attribute/Bangs"][:] = MISSING
    losses = method.step(seen, method.stages()[0])["main"]
    logits = method(seen.images).logits
    gender = F.cross_entropy(logits["gender"], seen.labels["gender"])
    bald = F.cross_entropy(logits["attribute/Bald"][2:], seen.labels["attribute/Bald"][2:])
    assert losses["total"].item() == pytest.approx(((gender + bald + 0) / 3).item(), rel=1e-5)


def test_people_are_told_apart_with_a_margin_in_training_and_without_one_after():
    margin = {"kind": "cosine", "size": 0.2, "scale": 8.0}
    method = pretrain(PEOPLE, learns="identity", margin=margin).eval()
    seen = batch(PEOPLE)
    prediction = method(seen.images)
    cosines = F.cosine_similarity(prediction.features[:, None], method.classify["identity"].weight[None], dim=2)
    torch.testing.assert_close(prediction.logits["identity"], 8 * cosines, rtol=1e-4, atol=1e-4)
    loss = method.step(seen, method.stages()[0])["main"]["identity"]
    expected = margin_cross_entropy(cosines, seen.labels["identity"], "cosine", 0.2, 8.0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert count_parameters(method) == 11_176_512 + 4 * 512


def test_expressions_are_learned_by_cross_entropy():
    classes = {"expression": ("neutral", "anger", "fear")}
    method = pretrain(classes, learns="expression").eval()
    seen = batch(classes)
    loss = method.step(seen, method.stages()[0])["main"]["expression"]
    expected = F.cross_entropy(method(seen.images).logits["expression"], seen.labels["expression"])
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("learns", ["attributes", "identity"])
def test_every_backbone_learns_all_of_its_weights(learns):
    classes = PEOPLE if learns == "identity" else {"gender": ("male", "female")}
    method = pretrain(classes, backbone="eca_resnet18", learns=learns)
    method.step(batch(classes), method.stages()[0])["main"]["total"].backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in method.backbone().parameters())
