"""What the nodes of a method do before anything trains."""

import pytest

from openfer.errors import ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.pipelines.method_nodes import main_model, train
from openfer.pipelines.method_run import MethodRun


def test_only_the_models_up_to_the_main_one_are_loaded():
    def must_not_load():
        raise AssertionError("a model behind the main one was loaded")

    chosen = Checkpoint({}, {"main_selection": True})
    models = {
        "last": lambda: Checkpoint({}, {"main_selection": False}),
        "best_val": lambda: chosen,
        "oracle_test": must_not_load,
    }
    assert main_model(models) is chosen


def test_a_method_does_not_train_with_a_model_of_another_normalisation(tmp_path):
    settings = {"datasets": ["a"], "seed": 0, "images": {"crop": 64, "mean": 0.4}, "settings": {}}
    run = MethodRun.model_validate({"method": "addl"} | settings)
    dfem = {"last": lambda: Checkpoint({}, {"main_selection": True, "images": {"crop": 64}})}
    with pytest.raises(ParameterError, match=r"mean 0\.4 and std 0\.5, but dfem, .* mean 0\.5 and std 0\.5"):
        train(run, tmp_path, "rows", "faces", "split", dfem)
