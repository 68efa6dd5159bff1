import pytest
import torch
import torch.nn.functional as F
from tests.methods.networks import FACTOR_NAMES, build_dfem

from openfer.errors import ParameterError
from openfer.labels import FACTOR_CLASSES, FACTORS
from openfer.methods.contract import MISSING, Batch
from openfer.methods.declared.dfem import DFEMSettings
from openfer.methods.dfem import DFEM
from openfer.nn.complexity import count_parameters

IDENTITIES = tuple(f"{number:03d}" for number in range(337))


def factor_batch(count=4, **missing):
    torch.manual_seed(0)
    labels = {factor: torch.arange(count) % len(names) for factor, names in FACTOR_NAMES.items()}
    for factor, samples in missing.items():
        labels[factor][samples] = MISSING
    return Batch(torch.randn(count, 3, 40, 40), labels)


@pytest.mark.parametrize(
    ("factors", "parameters"),
    [
        (FACTORS, 11_619_774),
        (("identity", "illumination", "pose"), 11_421_363),
        (("gender", "age", "race"), 11_374_923),
    ],
)
def test_has_the_parameters_of_the_paper_on_both_datasets_and_on_each(factors, parameters):
    classes = FACTOR_CLASSES | {"identity": IDENTITIES}
    dfem = DFEM(DFEMSettings(), {factor: classes[factor] for factor in factors})
    assert count_parameters(dfem) == parameters


def test_the_loss_adds_up_over_images_and_factors():
    """Equation 1 as two loops, divided by the batch."""
    dfem, batch = build_dfem().eval(), factor_batch(age=[1, 2], pose=[0])
    losses = dfem.step(batch, dfem.stages()[0])["main"]
    logits = dfem(batch.images).logits
    expected = 0.0
    for factor in FACTORS:
        terms = []
        for image in range(4):
            if batch.labels[factor][image] != MISSING:
                terms.append(-logits[factor][image].log_softmax(0)[batch.labels[factor][image]].item())
        own = sum(terms) / 4
        assert losses[factor].item() == pytest.approx(own, rel=1e-5)
        expected += own
    assert losses["total"].item() == pytest.approx(expected, rel=1e-5)


def test_by_equation_1_a_label_counts_the_same_however_few_there_are():
    """The gradient of an image's own logits, where it alone is labelled and where all are."""
    dfem = build_dfem(("gender",)).eval()
    norms = []
    for missing in ([], [1, 2, 3]):
        dfem.zero_grad()
        batch = factor_batch(gender=missing)
        images = batch.images.clone().requires_grad_()
        dfem.step(Batch(images, batch.labels), dfem.stages()[0])["main"]["total"].backward()
        norms.append(images.grad[0].norm().item())
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)


def test_a_factor_without_labels_costs_nothing_and_its_layers_learn_nothing():
    dfem, batch = build_dfem().train(), factor_batch(identity=[0, 1, 2, 3])
    losses = dfem.step(batch, dfem.stages()[0])["main"]
    losses["total"].backward()
    assert losses["identity"].item() == 0
    for layers in (dfem.features, dfem.classifiers):
        assert layers["identity"].weight.grad.abs().sum() == 0
        assert layers["gender"].weight.grad.abs().sum() > 0
    assert all(parameter.grad.isfinite().all() for parameter in dfem.parameters())


def test_factor_features_come_in_the_order_of_the_labels_whatever_the_order_of_the_classes():
    torch.manual_seed(0)
    dfem = DFEM(DFEMSettings(), {factor: FACTOR_NAMES[factor] for factor in reversed(FACTORS)}).eval()
    assert dfem.factors == FACTORS
    images = factor_batch(2).images
    features, taps = dfem.extract(images, FACTORS)
    pooled = dfem.trunk(images)[-1].mean((2, 3))
    expected = F.leaky_relu(dfem.features["race"](pooled), 0.25)
    assert features.shape == (2, 6, 128)
    assert torch.allclose(features[:, FACTORS.index("race")], expected, atol=1e-5)
    assert [tuple(tap.shape[1:]) for tap in taps] == [
        (64, 10, 10),
        (64, 10, 10),
        (128, 5, 5),
        (256, 3, 3),
        (512, 2, 2),
    ]


def test_logits_are_those_of_the_factor_features():
    dfem = build_dfem(("pose", "age")).eval()
    prediction = dfem(factor_batch(3).images)
    assert {factor: logits.shape for factor, logits in prediction.logits.items()} == {"age": (3, 3), "pose": (3, 3)}
    assert prediction.features.shape == (3, 256)
    assert torch.equal(dfem.classifiers["age"](prediction.features[:, :128]), prediction.logits["age"])


def test_a_slope_of_one_leaves_the_factor_features_linear():
    dfem = DFEM(DFEMSettings(activation_slope=1.0), {"pose": FACTOR_NAMES["pose"]}).eval()
    images = factor_batch(2).images
    linear = dfem.features["pose"](dfem.trunk(images)[-1].mean((2, 3)))
    assert torch.allclose(dfem.extract(images, ("pose",)).features[:, 0], linear, atol=1e-5)


@pytest.mark.parametrize("classes", [{}, {"expression": ("neutral", "anger")}, {"pose": ("yaw+0",), "hat": ("yes",)}])
def test_tasks_that_are_no_disturbing_factors_are_refused(classes):
    with pytest.raises(ParameterError, match="it classifies disturbing factors"):
        DFEM(DFEMSettings(), classes)
