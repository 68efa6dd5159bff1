"""Kedro's project settings."""

from openfer.config_loader import LayeredConfigLoader
from openfer.context import Context
from openfer.hooks import MemoryHook, PlanHook, ResultsHook
from openfer.tracking import MlflowHook

HOOKS = (PlanHook(), MlflowHook(), MemoryHook(), ResultsHook())
CONTEXT_CLASS = Context
CONFIG_LOADER_CLASS = LayeredConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*"], "weights": ["weights*"]},
    "merge_strategy": {  # an environment overrides one nested key, not its whole branch
        "parameters": "soft",
        "weights": "soft",
        "globals": "soft",
    },
}
