"""A row of a paper's table by its name, as a run is told it."""

import pytest
from pydantic import ValidationError

from openfer.io.provenance import decisive
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build
from openfer.runs.settings import RunSettings
from tests.methods.networks import EXPRESSION

RUN = {"datasets": ["a"], "seed": 0, "images": {"crop": 64}}


def run(method, variant, **settings):
    return RunSettings.model_validate(RUN | {"method": method, "variant": variant, "settings": settings})


def test_a_row_is_named_in_tables_as_it_was_asked_for_and_keeps_what_the_file_says_beside():
    schedule = {"epochs": 3, "batch_size": 8, "learning_rate": 0.1}
    for row in METHODS["addl"].variants:
        asked = run("addl", row, schedule=schedule, dropout=0.1)
        assert build("addl", asked.settings, EXPRESSION).variant == row
        assert asked.settings.schedule.epochs == 3
        assert asked.settings.dropout == 0.1


def test_without_a_row_the_settings_are_taken_as_they_are():
    assert run("addl", None, importance="equal").settings.importance == "equal"


def test_a_run_read_back_is_the_same_run():
    asked = run("baseline", "baseline_at")
    assert RunSettings.model_validate(asked.model_dump()) == asked
    assert RunSettings.model_validate(dict(asked)) == asked


def test_not_the_name_decides_a_result_but_the_settings_behind_it():
    assert decisive(run("baseline", "baseline_mat")) == decisive(run("baseline", None, attention="multi_level"))


@pytest.mark.parametrize(
    ("method", "variant", "words"),
    [
        ("baseline", "baseline_matt", "the nearest first: baseline_mat, "),
        ("two_scale", "two_scale", "two_scale has one row only"),
    ],
)
def test_a_row_that_does_not_exist_is_one_error(method, variant, words):
    with pytest.raises(ValidationError, match=words) as refused:
        run(method, variant)
    assert refused.value.error_count() == 1


ENTRY = {"path": "x.pth", "architecture": "resnet50", "licence": "none", "origin": "a test"}


def of_weights(**entry):
    first = {"backbone": "named", "entry": ENTRY | entry} if entry else {"backbone": "none"}
    images = {"crop": 64, "mean": "weights", "std": "weights"}
    return RunSettings.model_validate(
        RUN | {"method": "oadn", "settings": {}, "images": images, "initialisation": first}
    )


def test_images_are_normalised_as_the_weights_of_the_backbone_were_learned():
    images = of_weights(mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3)).images
    assert (images.mean, images.std) == ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3))


@pytest.mark.parametrize("entry", [{}, {"mean": None}])
def test_weights_whose_normalisation_nobody_states_ask_for_numbers(entry):
    with pytest.raises(ValidationError, match="states none for the backbone"):
        of_weights(**entry)


FILE = {"schedule": {"epochs": 6, "batch_size": 32, "learning_rate": 3e-4, "milestones": [4]}, "trunk": "dlib_resnet29"}


def test_the_strong_baseline_is_the_plain_network_with_another_schedule_and_augmentation():
    plain, strong = (run("baseline", variant, **FILE) for variant in ("baseline", "strong"))
    assert (plain.row, strong.row) == ("baseline", "strong")
    assert [step.kind for step in strong.images.augment] == ["affine", "erase"]
    own = {"optimiser", "weight_decay", "learning_rate_schedule", "milestones", "warmup_epochs", "label_smoothing"}
    different = {name for name, value in plain.settings.schedule if value != dict(strong.settings.schedule)[name]}
    assert different == own | {"average_decay"}
    same = {"schedule": plain.settings.schedule}
    assert strong.settings.model_copy(update=same) == plain.settings
    assert plain.images.model_copy(update={"augment": strong.images.augment}) == strong.images
    assert RunSettings.model_validate(strong.model_dump()) == strong
    assert RunSettings.model_validate(dict(strong)) == strong


def test_votes_are_refused_where_the_loss_compares_with_a_class_and_beside_wrong_labels():
    votes = {"training": {"labels": "votes"}, "variant": None, "settings": {}}
    assert RunSettings.model_validate(RUN | votes | {"method": "manet"}).training.labels == "votes"
    with pytest.raises(ValidationError, match=r"training\.labels is votes, but the losses of two_scale compare"):
        RunSettings.model_validate(RUN | votes | {"method": "two_scale"})
    with pytest.raises(ValidationError, match=r"label_noise is 0\.2, which changes classes"):
        RunSettings.model_validate(RUN | votes | {"method": "manet", "label_noise": 0.2})
