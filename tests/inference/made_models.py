"""Small model files with real weights: a linear classifier of blendshapes, fitted by least squares."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from openfer.faces.template import template_points
from openfer.inference.card import CARD, GEOMETRY_FEATURES, Crop, ModelCard
from openfer.labels import BASIC_EXPRESSIONS
from openfer.version import __version__

SIZE = 128
_BLENDSHAPES = 52
_SHARPNESS = 6.0
"""What makes answers of least squares, about 0 and 1, probabilities."""


def crop() -> Crop:
    """The crop of the made models."""
    return Crop(size=SIZE, points5=tuple(map(tuple, template_points(SIZE).tolist())))


def card(**changes) -> ModelCard:
    """The card of a model of geometry."""
    about = {
        "slug": "geometry-s0-f0-made00",
        "method": "geometry",
        "variant": "Geometry",
        "classes": BASIC_EXPRESSIONS,
        "input": "geometry",
        "crop": crop(),
        "selection": "last",
        "datasets": ("synthetic_fer",),
        "data_version": "0" * 12,
        "n_train": 49,
        "seed": 0,
        "initialisation": "random",
        "licences_of_data": ("CC0-1.0",),
        "openfer": __version__,
        "limits": ("It learned from rendered faces alone.",),
    }
    return ModelCard.model_validate(about | changes)


def fit_geometry(path: Path, geometry: np.ndarray, expressions: Sequence[str], **changes) -> Path:
    """Fit a classifier of blendshapes by least squares and write it with its card.

    Args:
        path: of the ``.onnx`` file.
        geometry: float32, (N, 1486).
        expressions: N names of :data:`BASIC_EXPRESSIONS`.
        **changes: of the card.
    """
    read = np.hstack([geometry[:, :_BLENDSHAPES], np.ones((len(geometry), 1))])
    goal = np.array([[name == one for name in BASIC_EXPRESSIONS] for one in expressions], float)
    weights = np.linalg.solve(read.T @ read + 0.1 * np.eye(_BLENDSHAPES + 1), read.T @ goal) * _SHARPNESS
    whole = np.zeros((GEOMETRY_FEATURES, len(BASIC_EXPRESSIONS)))
    whole[:_BLENDSHAPES] = weights[:-1]
    nodes = [
        helper.make_node("Gemm", ["geometry", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"weights": whole, "bias": weights[-1]}
    return _save(path, nodes, constants, card(**changes))


def look_at_colours(path: Path, **changes) -> Path:
    """Write a model of crops that answers with their mean colour.

    Logits are red, green and blue for the first three expressions and 0 for the others; valence is the hyperbolic
    tangent of red minus blue and arousal that of green, all as shares of white. ``changes`` are of the card.
    """
    expressions, affect = np.zeros((3, len(BASIC_EXPRESSIONS))), np.array([[1.0, 0], [0, 1], [-1, 0]])
    expressions[:, :3] = np.eye(3)
    nodes = [
        helper.make_node("Cast", ["faces"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers", "sides"], ["mean"], keepdims=0),
        helper.make_node("Div", ["mean", "white"], ["colour"]),
        helper.make_node("MatMul", ["colour", "expressions"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("MatMul", ["colour", "affect"], ["contrast"]),
        helper.make_node("Tanh", ["contrast"], ["values"]),
        helper.make_node("Split", ["values"], ["first", "second"], axis=1, num_outputs=2),
        helper.make_node("Squeeze", ["first", "last"], ["valence"]),
        helper.make_node("Squeeze", ["second", "last"], ["arousal"]),
    ]
    constants = {"white": np.array(255.0), "expressions": expressions, "affect": affect}
    own = {"slug": "colours-s0-f0-made00", "method": "baseline", "input": "faces", "gives": ("valence", "arousal")}
    about = card(**own | changes)
    return _save(path, nodes, constants, about, {"sides": np.array([1, 2]), "last": np.array([1])})


_NO_AXES: dict[str, np.ndarray] = {}


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    about: ModelCard,
    axes: dict[str, np.ndarray] = _NO_AXES,
) -> Path:
    kinds = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}
    inputs = [
        helper.make_tensor_value_info(name, kinds[kind], ["n", *shape]) for name, (kind, shape) in about.inputs.items()
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]) for name, shape in about.outputs.items()
    ]
    known = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    known += [numpy_helper.from_array(value.astype(np.int64), name) for name, value in axes.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "made", inputs, outputs, known),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    helper.set_model_props(model, {CARD: about.model_dump_json()})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path
