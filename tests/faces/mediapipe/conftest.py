"""The landmarker's parts, and rendered faces on a black ground, once a session."""

import numpy as np
import pytest
from PIL import Image

from openfer.faces.mediapipe.canonical import CanonicalFace, read_canonical
from openfer.faces.mediapipe.detector import MediapipeDetector
from openfer.faces.mediapipe.measure import FaceMeter
from openfer.faces.mediapipe.model_file import LandmarkerFile, read_landmarker

SIDE, FACE = 256, 192
BORDER = (SIDE - FACE) // 2


@pytest.fixture(scope="session")
def file() -> LandmarkerFile:
    return read_landmarker()


@pytest.fixture(scope="session")
def canonical(file) -> CanonicalFace:
    return read_canonical(file.canonical)


@pytest.fixture(scope="session")
def detector() -> MediapipeDetector:
    return MediapipeDetector(smallest_share=0.3, smallest_score=0.9)


@pytest.fixture(scope="session")
def meter() -> FaceMeter:
    return FaceMeter()


def on_ground(face: np.ndarray) -> np.ndarray:
    """A rendered face, enlarged to 192 pixels, in the middle of 256 black ones."""
    ground = Image.new("RGB", (SIDE, SIDE))
    ground.paste(Image.fromarray(face).resize((FACE, FACE), Image.Resampling.BICUBIC), (BORDER, BORDER))
    return np.asarray(ground)


@pytest.fixture(scope="session")
def pictures(tiny_faces) -> list[np.ndarray]:
    """All tiny faces, each on its ground."""
    return [on_ground(tiny_faces.store.image(row)) for row in range(len(tiny_faces.store))]


@pytest.fixture(scope="session")
def fives(tiny_faces) -> np.ndarray:
    """Their five points as the renderer knows them, in pixels of the pictures, (N, 5, 2)."""
    points = np.stack(tiny_faces.store.table(["points5"])["points5"].to_list()).reshape(-1, 5, 2)
    return points * FACE / 64 + BORDER
