"""A landmark detector from a file: TorchScript or ONNX, of heat maps (SAN, FAN) or of points with scores."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openfer.errors import CheckpointError
from openfer.io.checkpoint import check_sha256
from openfer_faces.landmarks.contract import POINTS, Crops
from openfer_faces.landmarks.decode import decode
from openfer_faces.landmarks.heatmap import resized
from openfer_faces.landmarks.settings import ExternalSettings

_SMALLEST = 1e-6
"""Below this a heat map's value is noise; its logarithm is taken."""


class External:
    """Points of a detector from a file; the score is its own, or the logarithm of its map's peak.

    Args:
        settings: where it is and what it expects.

    Raises:
        CheckpointError: if the file is missing, has another hash or cannot be read.
    """

    def __init__(self, settings: ExternalSettings) -> None:
        self.name, self.licence = settings.name, settings.licence
        self._settings = settings
        if not settings.path.is_file():
            raise CheckpointError(
                f"landmark detector {settings.path} does not exist; give the path of an existing file"
            )
        check_sha256(settings.path, settings.sha256)
        self._run = _onnx(settings.path) if settings.path.suffix == ".onnx" else _torchscript(settings.path)

    def find(self, crops: Crops) -> tuple[np.ndarray, np.ndarray]:
        """Return points (N, 68, 2) and scores (N, 68).

        Raises:
            CheckpointError: if the detector's answer has another shape than the settings say.
        """
        size = self._settings.input_size
        outputs = self._run(self._prepared(resized(crops, size)))
        points, scores = self._points(outputs) if self._settings.gives == "points" else self._peaks(outputs)
        sides = np.array([len(crop) for crop in crops])[:, None, None]
        return points * sides / size, scores

    def confidence(self, scores: np.ndarray) -> np.ndarray:
        """Return the detector's own scores, clipped to [0, 1], float32, of what :meth:`find` gives, (N, 68)."""
        own = scores if self._settings.gives == "points" else np.exp(scores)
        return own.clip(0, 1).astype(np.float32)

    def _prepared(self, crops: np.ndarray) -> np.ndarray:
        values = crops.astype(np.float32) / 255
        if self._settings.bgr:
            values = values[..., ::-1]
        mean, std = (np.array(three, np.float32) for three in (self._settings.mean, self._settings.std))
        values = (values - mean) / std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def _peaks(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        maps = outputs[self._settings.stage]
        if maps.ndim != 4 or maps.shape[1] < POINTS:
            raise self._unexpected("heat maps of shape (N, 68 or more, h, w)", outputs)
        # the mass around a peak is what the maps themselves hold: their logarithm is a softmax's logit
        logits = torch.from_numpy(maps[:, :POINTS].clip(_SMALLEST)).log()
        points, peaks = decode(logits)
        cells = np.array([maps.shape[3], maps.shape[2]])
        return points.numpy() * self._settings.input_size / cells, peaks.numpy()

    def _points(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        if len(outputs) != 2 or outputs[0].shape[1:] != (POINTS, 2) or outputs[1].shape[1:] != (POINTS,):
            raise self._unexpected("points of shape (N, 68, 2) and scores of shape (N, 68)", outputs)
        return outputs[0], outputs[1]

    def _unexpected(self, wanted: str, outputs: list[np.ndarray]) -> CheckpointError:
        found = ", ".join(str(output.shape) for output in outputs)
        return CheckpointError(
            f"{self._settings.path} gives {found}, expected {wanted}; correct `gives` or `stage` in its settings"
        )


def _torchscript(path: Path) -> Any:
    try:
        module = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path} is not a TorchScript file that can be loaded: {reason}") from error

    def run(images: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            answer = module(torch.from_numpy(images))
        return [part.float().numpy() for part in ([answer] if isinstance(answer, Tensor) else answer)]

    return run


def _onnx(path: Path) -> Any:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no public base class
        raise CheckpointError(f"{path} is not an ONNX file that can be loaded: {error}") from error
    entrance = session.get_inputs()[0].name
    return lambda images: session.run(None, {entrance: images})
