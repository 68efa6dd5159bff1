"""Settings that contradict themselves are refused before anything runs."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from openfer.training.config import ImageSettings, TrainingConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("workers", -1), ("workers", "many"), ("precision", "float8"), ("device", "tpu"), ("checkpoint_minutes", -1)],
        *[("selections", ["last", "last"]), ("selections", []), ("selections", ["best_test"]), ("epochs", 3)],
    ],
)
def test_an_impossible_setting_is_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        TrainingConfig.model_validate({field: value})


def test_the_defaults_select_by_validation_and_normalise_to_minus_one_and_one():
    assert TrainingConfig().selections == ("best_val", "last")
    images = ImageSettings(crop=224)
    assert (images.mean, images.std, images.flip) == (0.5, 0.5, True)


def test_settings_are_read_without_torch():
    code = "import sys, openfer.training.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
