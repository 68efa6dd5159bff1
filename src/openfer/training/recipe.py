"""What decides the outcome of a run: the facts in its checkpoints and the recipe of its resume file."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from openfer.io.provenance import decisive
from openfer.methods.contract import Method, Stage
from openfer.parameters import as_trained
from openfer.training.config import ImageSettings, Selection
from openfer.training.data import Faces
from openfer.training.device import Plan
from openfer.training.masking import Mask


def facts_of(method: Method, images: ImageSettings, seed: int, plan: Plan, mask: Mask | None = None) -> dict[str, Any]:
    """Return how a checkpoint was made, JSON-serialisable."""
    return {
        "method": method.name,
        "variant": method.variant,
        "config": method.config.model_dump(mode="json"),
        "classes": {task: list(names) for task, names in method.classes.items()},
        "images": images.model_dump(mode="json"),
        "seed": seed,
        "plan": plan.facts(),
        "mask": None if mask is None else mask.facts(),
    }


def recipe_of(
    method: Method,
    facts: Mapping[str, Any],
    stages: Sequence[Stage],
    sets: Mapping[str, Faces],
    selections: tuple[Selection, ...],
) -> dict[str, Any]:
    """Return everything that decides the outcome of a run; long things as hashes.

    Args:
        method: with its initial weights, which count too.
        facts: see :func:`facts_of`.
        stages: the schedule.
        sets: data sets by role.
        selections: the states that are kept.
    """
    own = method.own_state()
    prerequisites = {key: value for key, value in method.state_dict().items() if key not in own}
    return {
        **facts,
        "config": decisive(as_trained(method.config)),
        "stages": [[stage.name, stage.schedule.model_dump(mode="json")] for stage in stages],
        "data": {role: fingerprint_of_faces(faces) for role, faces in sets.items()},
        "selections": sorted(selections),
        "initial_weights": fingerprint_of_tensors(own),
        "prerequisite_weights": fingerprint_of_tensors(prerequisites),
    }


def fingerprint_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return a hash of names, shapes and values."""
    whole = hashlib.blake2b(digest_size=16)
    for name, value in sorted(tensors.items()):
        content = value.detach().cpu().contiguous()
        whole.update(f"{name} {content.dtype} {tuple(content.shape)}\n".encode())
        whole.update(content.flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()


def fingerprint_of_faces(faces: Faces) -> str:
    """Return a hash of who is in a data set, in which order, with which labels, extras and targets."""
    whole = hashlib.blake2b("\n".join(faces.sample_ids).encode(), digest_size=16)
    for task, labels in sorted(faces.labels.items()):
        whole.update(task.encode() + labels.tobytes())
    for name, values in sorted(faces.extras.items()):
        whole.update(name.encode() + values.tobytes())
    for name, values in sorted(faces.targets.items()):
        whole.update(name.encode() + values.tobytes())
    return whole.hexdigest()
