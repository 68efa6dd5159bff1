"""Photographs of rendered people, and a model that has learned from them; once a session."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from openfer.inference.finder import FaceFinder
from openfer.inference.predictor import Predictor, load
from openfer.seeds import generator_for
from tests.conftest import TinyFaces
from tests.inference.made_models import crop, fit_geometry

FACE = 160


def scene(faces: list[np.ndarray], width: int = 320, height: int = 240) -> np.ndarray:
    """Return a photograph of faces beside each other before a blurred background, RGB, uint8, (height, width, 3)."""
    noise = generator_for(0, "background", width, height).integers(40, 200, (height // 20, width // 20, 3))
    ground = Image.fromarray(noise.astype(np.uint8)).resize((width, height)).filter(ImageFilter.GaussianBlur(8))
    step = width // len(faces)
    for number, face in enumerate(faces):
        enlarged = Image.fromarray(face).resize((FACE, FACE), Image.Resampling.BICUBIC)
        ground.paste(enlarged, (number * step + (step - FACE) // 2, (height - FACE) // 2))
    return np.asarray(ground)


@pytest.fixture(scope="session")
def photographs(tiny_faces: TinyFaces) -> list[np.ndarray]:
    """One photograph of every tiny face, in their order."""
    return [scene([tiny_faces.store.image(row)]) for row in range(len(tiny_faces.store))]


@pytest.fixture(scope="session")
def model_file(tiny_faces: TinyFaces, photographs, tmp_path_factory) -> Path:
    """A model of geometry, fitted to the first 40 photographs."""
    find = FaceFinder(crop(), "geometry", 0.3)
    seen = [find(photograph)[0].geometry for photograph in photographs[:40]]
    expressions = tiny_faces.scenes["expression"].tolist()[:40]
    return fit_geometry(tmp_path_factory.mktemp("model") / "made.onnx", np.stack(seen), expressions)


@pytest.fixture(scope="session")
def predictor(model_file: Path) -> Predictor:
    return load(model_file)
