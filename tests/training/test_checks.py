"""A method and the models that it needs see the same images."""

import pytest

from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.training.checks import check_folds, check_normalisation, warn_of_normalisation
from openfer.training.config import ImageSettings


def trained_with(**images):
    return {"dfem": Checkpoint({}, {"images": ImageSettings(crop=64, **images).model_dump(mode="json")})}


@pytest.mark.parametrize("other", [{"mean": 0.25}, {"std": 0.25}])
def test_a_needed_model_of_another_normalisation_is_refused_with_both(other):
    there = {"mean": 0.5, "std": 0.5} | other
    with pytest.raises(ParameterError) as caught:
        check_normalisation(ImageSettings(crop=64), trained_with(**other))
    assert "normalised with mean 0.5 and std 0.5, but dfem" in str(caught.value)
    assert f"was trained with mean {there['mean']} and std {there['std']}" in str(caught.value)


def test_a_needed_model_of_another_channel_order_is_refused_with_both():
    with pytest.raises(ParameterError, match=r"images.channels is rgb, but dfem.* was trained with bgr; give both"):
        check_normalisation(ImageSettings(crop=64), trained_with(channels="bgr"))


def test_another_crop_and_other_flips_do_not_matter():
    check_normalisation(ImageSettings(crop=224, flip=True), trained_with(flip=False))


def test_a_model_of_another_fold_learned_from_the_faces_that_are_tested():
    pretrain, foreign = {"datasets": ["b", "c"], "fold": 0}, {}
    check_folds(["a", "b"], 0, {"pretrain": pretrain, "weights.pth": foreign})
    check_folds(["a"], 3, {"pretrain": pretrain})
    with pytest.raises(ParameterError, match=r"fold 3 of b is tested, but pretrain, .* train pretrain with fold: 3"):
        check_folds(["a", "b"], 3, {"weights.pth": foreign, "pretrain": pretrain})


def named(mean, std):
    entry = {"path": "w.pth", "architecture": "resnet18", "licence": "none stated", "origin": "nobody knows"}
    return InitialisationSettings.model_validate({"backbone": "faces", "entry": entry | {"mean": mean, "std": std}})


def test_images_that_are_normalised_unlike_those_of_the_first_weights_are_warned_of_with_both_values(caplog):
    warn_of_normalisation(ImageSettings(crop=64), named((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    assert "faces was learned from images normalised with mean 0.485, 0.456, 0.406 and std 0.229," in caplog.text
    assert "these are with mean 0.5, 0.5, 0.5 and std 0.5, 0.5, 0.5" in caplog.text


@pytest.mark.parametrize(
    "first", [named((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), named(None, None), InitialisationSettings(backbone="w.pth")]
)
def test_nothing_is_said_where_they_agree_or_nobody_knows(caplog, first):
    warn_of_normalisation(ImageSettings(crop=64), first)
    assert not caplog.text
