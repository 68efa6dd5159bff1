"""The page in a headless Chromium: opened from the disk it answers as `openfer predict` does, without a request."""

import base64
import json

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from PIL import Image

from openfer.faces.mediapipe.model_file import read_landmarker
from openfer.faces.mediapipe.network import Network
from openfer.inference.page.command import page
from openfer.inference.page.networks import to_onnx
from openfer.inference.predictor import load
from openfer.io.images import read_image
from tests.browser import Browser, chromium_or_skip


@pytest.mark.parametrize(
    ("part", "shape", "tolerance"),
    [("detector", (1, 128, 128, 3), 0.001), ("mesh", (1, 256, 256, 3), 0.02), ("blendshapes", (1, 146, 2), 1e-5)],
)
def test_a_converted_network_answers_as_the_one_in_litert(part, shape, tolerance):
    content = getattr(read_landmarker(), part)
    values = np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    found = onnxruntime.InferenceSession(to_onnx(content)).run(None, {"input0": values})
    for one, other in zip(found, Network(content)(values), strict=True):
        assert np.abs(one - other).max() < tolerance


@pytest.mark.slow
@pytest.mark.parametrize("name", ["geometry", "exported"])
def test_a_dropped_photograph_is_answered_as_by_predict_and_nothing_is_asked_for(
    name, photographs, model_file, tmp_path
):
    program = chromium_or_skip()
    model = "geometry" if name == "geometry" else str(model_file)
    done = CliRunner().invoke(page, ["--model", model, "--output", str(tmp_path / "page")], catch_exceptions=False)
    assert done.exit_code == 0
    file = tmp_path / "photograph.png"
    Image.fromarray(photographs[0]).save(file)
    expected = load(model).predict([read_image(file).pixels])[0]
    with Browser(program, tmp_path / "profile") as browser:
        browser.open(tmp_path / "page/index.html", 400)
        found = json.loads(browser.run(_DROPPED % base64.b64encode(file.read_bytes()).decode()))
        assert len(found) == len(expected) > 0
        for one, other in zip(found, expected, strict=True):
            assert np.abs(np.array(one["probabilities"]) - other.probabilities).max() < 0.005  # see docs/use.md
            assert np.abs(np.array(one["box"]) - other.box).max() < 0.1
        assert browser.run("document.querySelectorAll('#results section').length") == len(expected)
        assert browser.run("document.documentElement.scrollWidth") == 400
        assert browser.complaints == []
        assert browser.requests == [(tmp_path / "page/index.html").as_uri()]


_DROPPED = """
(async () => {
  const bytes = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "photograph.png"));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  return JSON.stringify(await openfer.last());
})()
"""
