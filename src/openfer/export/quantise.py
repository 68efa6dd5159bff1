"""A model file of 8-bit integers: calibrated on training faces, its accuracy compared with the original's."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from openfer.errors import ExportError
from openfer.export.faces import given, spread
from openfer.export.measured import accuracy
from openfer.export.onnx_file import with_card
from openfer.inference.card import Quantised
from openfer.inference.onnx_model import OnnxModel
from openfer.training.data import ConcatFaces

CALIBRATION_FACES = 200
LARGEST_LOSS = 0.01
"""Of accuracy, in [0, 1]: one percentage point."""

_LAYERS = ("Conv", "Gemm", "MatMul")
"""What is computed in integers. All else is a small share of the time and loses more."""


def quantised(path: Path, calibration: ConcatFaces, tested: ConcatFaces, *, accepts_loss: bool) -> bytes:
    """Return a model file in which convolutions and products compute with 8-bit integers (static, QDQ).

    Args:
        path: the file of 32-bit numbers.
        calibration: training faces, from which the value ranges are measured.
        tested: faces on which the card's accuracy was measured.
        accepts_loss: whether a file that loses more than a percentage point is returned too.

    Raises:
        CheckpointError: if the file is not a model of openfer.
        DataError: if an image is damaged.
        ExportError: if the card has no accuracy to compare with, or if the file loses more than a percentage point.
    """
    before = OnnxModel(path)
    card = before.card
    if card.accuracy is None:
        raise ExportError(
            f"{path} has no accuracy, as no test face of {', '.join(card.datasets)} is labelled, so the loss of 8-bit "
            "integers cannot be measured; export.int8 needs labelled faces"
        )
    chosen = spread(len(calibration), CALIBRATION_FACES)
    inputs = given(calibration, list(card.inputs), card.task, chosen).inputs
    about = Quantised(calibration_faces=len(chosen), float32=card.accuracy)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "int8.onnx"
        integers(path, made, inputs)
        import onnx

        graph = onnx.load(made)
        unmeasured = card.with_measured(quantised=about, accuracy=None, parity=None)
        made.write_bytes(with_card(graph, unmeasured))
        after = accuracy(
            OnnxModel(made, threads=torch.get_num_threads()), tested, card.accuracy.datasets, card.accuracy.role
        )
    if after is None or after.n != card.accuracy.n:
        raise ExportError(f"{path} was tested on {card.accuracy.n} faces, now there are others; export it again first")
    loss = card.accuracy.value - after.value
    if loss > LARGEST_LOSS and not accepts_loss:
        raise ExportError(
            f"8-bit integers lose {100 * loss:.1f} points of accuracy ({100 * card.accuracy.value:.1f} % to "
            f"{100 * after.value:.1f} %, n = {after.n}), more than {100 * LARGEST_LOSS:.0f}; {path} stays. Set "
            "export.accepts_loss to true to write the file nevertheless"
        )
    return with_card(graph, card.with_measured(quantised=about, accuracy=after, parity=None))


def integers(path: Path, made: Path, inputs: Mapping[str, np.ndarray]) -> None:
    """Write a file in which convolutions and products compute with 8-bit integers; its card is gone.

    Args:
        path: the file of 32-bit numbers.
        made: where the other one is written.
        inputs: of calibration faces, by name, (N, ...).
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Faces(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(range(len(next(iter(inputs.values())))))

        def get_next(self) -> dict[str, Any] | None:
            number = next(self._left, None)
            return None if number is None else {name: value[number : number + 1] for name, value in inputs.items()}

    prepared = made.with_name("prepared.onnx")
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        made,
        Faces(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=list(_LAYERS),
        per_channel=True,
    )
