"""The file by which a killed training of the regressor goes on: weights, optimiser, history."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

_FILE = "resume.safetensors"


def save_progress(
    work: Path,
    recipe: Mapping[str, Any],
    history: list[dict[str, float]],
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write the state after a whole epoch, atomically."""
    tensors = {f"network/{name}": value for name, value in network.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{number}/{name}": value for name, value in state.items()}
    facts = {"recipe": dict(recipe), "history": history}
    save_checkpoint(work / _FILE, Checkpoint(tensors, facts))


def load_progress(
    work: Path, recipe: Mapping[str, Any], network: nn.Module, optimiser: torch.optim.Optimizer
) -> list[dict[str, float]]:
    """Bring network and optimiser to where the last whole epoch left them.

    Returns:
        The records of the epochs that are done; none where nothing was saved yet.

    Raises:
        CheckpointError: if the file is damaged or belongs to another recipe.
    """
    path = work / _FILE
    if not path.exists():
        return []
    saved = load_checkpoint(path)
    if saved.facts.get("recipe") != json.loads(json.dumps(recipe)):
        raise CheckpointError(f"{path} belongs to a training with other settings or faces; delete it to start again")
    weights, moments = {}, dict[int, dict[str, torch.Tensor]]()
    for name, value in saved.tensors.items():
        owner, _, rest = name.partition("/")
        if owner == "network":
            weights[rest] = value
        else:
            number, _, key = rest.partition("/")
            moments.setdefault(int(number), {})[key] = value
    network.load_state_dict(weights)
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    return list(saved.facts["history"])
