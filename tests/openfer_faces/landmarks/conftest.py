import numpy as np
import pytest

from openfer_faces.landmarks.known import KnownFaces
from openfer_faces.landmarks.settings import HeatmapSettings


@pytest.fixture(scope="session")
def known(tiny_faces) -> KnownFaces:
    return KnownFaces(tiny_faces.store, np.arange(len(tiny_faces.store)))


@pytest.fixture
def settings() -> HeatmapSettings:
    return HeatmapSettings(input_size=64, width=8, epochs=2, batch_size=16)
