"""A network as an ONNX graph for any number of faces, and its bytes with a card."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from openfer.errors import ExportError
from openfer.export.graph import Answering
from openfer.inference.card import CARD, ModelCard
from openfer.nn.tracing import without_stack_traces
from openfer.optional import optional

_EXAMPLES = 2  # torch.export takes a batch of one for a constant


def onnx_graph(network: Answering, example: Sequence[Tensor]) -> Any:
    """Return a network as an ONNX model with a dynamic number of faces.

    Args:
        network: of float32 weights, on the CPU.
        example: its inputs for two faces or more.

    Returns:
        An ``onnx.ModelProto``.

    Raises:
        ExportError: if there are fewer than two examples, or the graph is of a fixed number of faces.
        ParameterError: if the optional packages are not installed.
    """
    if len(example[0]) < _EXAMPLES:
        raise ExportError(
            f"{network.method.name} is exported with {len(example[0])} example faces, which fixes their number in the "
            f"file; give {_EXAMPLES} or more"
        )
    with optional("export", "an export"):
        import onnxscript  # noqa: F401 - torch's exporter needs it
    batch = torch.export.Dim("batch")
    names = network.input_names()
    network.requires_grad_(False)
    with warnings.catch_warnings(), torch.no_grad(), without_stack_traces():
        warnings.simplefilter("ignore")  # of the exporter's own code
        program = torch.export.export(
            network, tuple(part[:_EXAMPLES] for part in example), dynamic_shapes=(tuple({0: batch} for _ in names),)
        )
        exported = torch.onnx.export(
            program, dynamo=True, input_names=names, output_names=network.output_names(), verbose=False
        )
    assert exported is not None  # None is for a file's name
    model = exported.model_proto
    fixed = [part.name for part in model.graph.input if not part.type.tensor_type.shape.dim[0].dim_param]
    if fixed:
        raise ExportError(
            f"the exported {network.method.name} has a fixed number of faces in {', '.join(fixed)}; report this, with "
            f"torch {torch.__version__}"
        )
    return model


def with_card(model: Any, card: ModelCard) -> bytes:
    """Return the bytes of an ``onnx.ModelProto`` whose metadata hold a card; an earlier card is replaced."""
    kept = [entry for entry in model.metadata_props if entry.key != CARD]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD, card.model_dump_json()
    model.producer_name, model.producer_version = "openfer", card.openfer
    return bytes(model.SerializeToString(deterministic=True))
