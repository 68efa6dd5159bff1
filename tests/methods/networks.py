"""Small methods on random images, for tests that only need algebra."""

import copy
import functools
import json

import torch

from openfer.io.checkpoint import Checkpoint
from openfer.labels import BASIC_EXPRESSIONS
from openfer.methods.contract import Batch
from openfer.methods.declared.addl import ADDLSettings
from openfer.methods.declared.dfem import DFEMSettings
from openfer.methods.dfem import DFEM
from openfer.methods.registry import build

EXPRESSION = {"expression": BASIC_EXPRESSIONS}
FACTOR_NAMES = {
    "gender": ("male", "female"),
    "age": ("4-19", "20-39", "40-69"),
    "race": ("caucasian", "african", "asian"),
    "identity": ("a", "b", "c", "d", "e"),
    "illumination": ("light00", "light01"),
    "pose": ("yaw-45", "yaw+0", "yaw+45"),
}

OWNERS = {
    "main": ("shared", "expression", "disturbance"),
    "discriminator": ("discriminator",),
    "mine": ("mine",),
}
"""Networks by player of ADDL."""


def checkpoint_of(method):
    facts = {
        "classes": {task: list(names) for task, names in method.classes.items()},
        "config": method.config.model_dump(mode="json"),
    }
    return Checkpoint({name: tensor.clone() for name, tensor in method.own_state().items()}, facts)


def build_dfem(factors=tuple(FACTOR_NAMES)):
    return copy.deepcopy(_fresh_dfem(factors))


def build_addl(dfem=None, **config):
    return copy.deepcopy(_fresh_addl(json.dumps(config))) if dfem is None else _addl(dfem, config)


@functools.cache
def _fresh_dfem(factors):
    torch.manual_seed(1)
    return DFEM(DFEMSettings(), {factor: FACTOR_NAMES[factor] for factor in factors})


@functools.cache
def _fresh_addl(config):
    return _addl(build_dfem(), json.loads(config))


def _addl(dfem, config):
    torch.manual_seed(2)
    settings = ADDLSettings.model_validate(config)
    return build("addl", settings, EXPRESSION, {"dfem": checkpoint_of(dfem)} if settings.uses_dfem else {})


def expression_batch(count=3, size=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 3, size, size, generator=generator)
    return Batch(images, {"expression": torch.arange(count) % 7})


def face_batch(tiny_faces, count=7):
    """Rendered faces in [-1, 1] with their expressions; random weights see them otherwise than noise."""
    images = torch.stack([torch.from_numpy(tiny_faces.store.image(row)).permute(2, 0, 1) for row in range(count)])
    labels = torch.from_numpy(tiny_faces.labels("expression")[:count])
    return Batch(images / 127.5 - 1, {"expression": labels})


def moved_by(loss, parameters, rate=0.1):
    """Return the share of weights that a step of plain SGD down a loss changes at all in single precision."""
    parameters = list(parameters)
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    pairs = [(p.detach(), g) for p, g in zip(parameters, gradients, strict=True) if g is not None]
    return sum((p - rate * g != p).sum().item() for p, g in pairs) / sum(p.numel() for p, _ in pairs)
