"""Photographs and videos of rendered people, and a model that has learned from them; once a session."""

import re
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageFilter

from openfer.console import openfer
from openfer.inference.finder import FaceFinder
from openfer.inference.predictor import Predictor, load
from openfer.io.video import stream_frames
from openfer.seeds import generator_for
from tests.conftest import TinyFaces
from tests.inference.made_models import crop, fit_geometry

FACE = 160
FRAMES = 14
RATE = 10


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


def run(*arguments: object, expect: type[Exception] | None = None) -> str:
    """Type `openfer predict ...` and return what it prints."""
    typed = CliRunner().invoke(openfer, ["predict", *map(str, arguments)])
    if expect is None:
        assert typed.exit_code == 0, typed.output
    else:
        assert isinstance(typed.exception, expect), typed.output
    return typed.output


@pytest.fixture(scope="session")
def video(tiny_faces: TinyFaces, tmp_path_factory) -> Path:
    """Two people side by side for 1.4 seconds, the right one away in the second half; both move to the right."""
    path = tmp_path_factory.mktemp("video") / "two.mp4"
    people = [tiny_faces.store.image(0), tiny_faces.store.image(7)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 400, 240, "yuv420p"
        for number in range(FRAMES):
            shown = scene(people, width=400)
            if number >= FRAMES // 2:
                shown = shown.copy()
                shown[:, 200:] = 100
            frame = av.VideoFrame.from_ndarray(np.roll(shown, number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def followed(video: Path, model_file: Path, tmp_path_factory) -> Path:
    """The folder of `v.csv`, of that video, and of its annotated copy in `drawn`."""
    folder = tmp_path_factory.mktemp("followed")
    run(video, "-m", model_file, "-o", folder / "v.csv", "--annotated", folder / "drawn")
    return folder


@pytest.fixture(scope="session")
def damaged(video: Path, tmp_path_factory) -> Path:
    """That video, the pixels of its sixth frame overwritten."""
    path = tmp_path_factory.mktemp("damaged") / "damaged.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 400, 240, "yuvj420p"
        for frame in stream_frames(video):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.pixels, format="rgb24")))
        container.mux(stream.encode())
    content = path.read_bytes()
    images = [found.start() for found in re.finditer(b"\xff\xd8\xff", content)]
    end = images[6] - 40  # the container's words about the next image stay
    path.write_bytes(content[: images[5]] + bytes(end - images[5]) + content[end:])
    return path
