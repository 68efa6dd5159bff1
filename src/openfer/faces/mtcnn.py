"""MTCNN: face boxes, five points and a score (Zhang et al. 2016; weights shipped by facenet-pytorch, MIT).

An option: ``faces.detector: mtcnn``, installed by ``pip install 'openfer[mtcnn]'``.
"""

import numpy as np
import torch
from PIL import Image

from openfer.faces.detected import Detected
from openfer.optional import optional

_SMALLEST = 20
"""Pixels; below it MTCNN's smallest window, 12 pixels, sees little of a face."""

_LONGEST = 1600
"""Pixels; larger images are searched at this size, as no face in them needs more."""


class MtcnnDetector:
    """Finds faces. Large ones first: only where there is none, the search goes on to small ones.

    On a CPU it computes with one thread, so that the same image gives the same bits beside any number of others.

    Args:
        smallest_share: of the image's shorter side; see :class:`openfer.faces.config.FacesConfig`.
        device: ``cpu`` or ``cuda``.

    Raises:
        ParameterError: if the optional package is not installed.
    """

    def __init__(self, smallest_share: float, device: str) -> None:
        with optional("mtcnn", "faces.detector mtcnn", "set faces.detector to mediapipe"):
            from facenet_pytorch import MTCNN
        self._share = smallest_share
        self._network = MTCNN(keep_all=True, device=device)

    def __call__(self, image: np.ndarray) -> Detected:
        """Find the faces in one image, RGB, uint8, (H, W, 3)."""
        factor = max(1.0, max(image.shape[:2]) / _LONGEST)
        if factor > 1:
            height, width = (max(1, round(side / factor)) for side in image.shape[:2])
            image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
        shorter = min(image.shape[:2])
        coarse = max(_SMALLEST, round(self._share * shorter))
        found = self._search(image, coarse)
        if not len(found) and coarse > _SMALLEST:
            found = self._search(image, _SMALLEST)
        return Detected(found.boxes * factor, found.points * factor, found.scores)

    def _search(self, image: np.ndarray, smallest: int) -> Detected:
        if min(image.shape[:2]) <= smallest:  # MTCNN would have no scale to look at
            return Detected(np.zeros((0, 4)), np.zeros((0, 5, 2)), np.zeros(0))
        self._network.min_face_size = smallest
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            boxes, scores, points = self._network.detect(image, landmarks=True)
        finally:
            torch.set_num_threads(threads)
        if boxes is None:
            return Detected(np.zeros((0, 4)), np.zeros((0, 5, 2)), np.zeros(0))
        return Detected(*(np.asarray(part, dtype=np.float64) for part in (boxes, points, scores)))
