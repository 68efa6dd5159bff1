"""The page in a headless Chromium: opened from the disk it answers as `openfer predict` does, without a request."""

import base64
import json
from pathlib import Path

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
from tests.inference.made_models import look_at_colours


@pytest.fixture(scope="module")
def browser(photographs, tmp_path_factory):
    """Return a browser that has a camera."""
    folder = tmp_path_factory.mktemp("browser")
    with Browser(chromium_or_skip(), folder / "profile", *_camera(photographs[0], folder)) as opened:
        yield opened


@pytest.fixture(scope="module")
def geometry(tmp_path_factory):
    """Return the page of the geometric model."""
    return _page("geometry", tmp_path_factory.mktemp("geometry"))


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
@pytest.mark.parametrize("name", ["geometry", "colours"])
def test_a_dropped_photograph_is_answered_as_by_predict_and_nothing_is_asked_for(
    name, browser, geometry, photographs, tmp_path
):
    model = "geometry" if name == "geometry" else str(look_at_colours(tmp_path / "colours.onnx"))
    written = geometry if name == "geometry" else _page(model, tmp_path)
    file = _png(photographs[0], tmp_path) if name == "geometry" else _lying_jpeg(photographs[0], tmp_path)
    expected = load(model).predict([read_image(file).pixels])[0]
    browser.open(written, 400)
    found = json.loads(browser.run(_DROPPED % (base64.b64encode(file.read_bytes()).decode(), file.name)))
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert np.abs(np.array(one["probabilities"]) - other.probabilities).max() < 1e-4
        assert np.abs(np.array(one["box"]) - other.box).max() < 0.01
    assert browser.run("document.getElementById('file').files[0].name") == file.name
    assert browser.run("document.querySelectorAll('#results section').length") == len(expected)
    assert browser.run("document.documentElement.scrollWidth") == 400
    assert browser.complaints == []
    assert browser.requests == [written.as_uri()]


@pytest.mark.slow
def test_keys_alone_choose_a_file_and_use_the_webcam(browser, geometry):
    browser.open(geometry, 1400)
    browser.press("Tab")
    assert browser.run(_FOCUSED) == ["file", "3px"]
    browser.press_until_a_file_is_asked_for("Enter")
    browser.press("Tab")
    assert browser.run(_FOCUSED) == ["webcam", "3px"]
    browser.press("Enter")
    browser.wait_until("document.getElementById('status').textContent === '1 face found.'")
    browser.press("Tab")
    browser.press("Enter")  # the blendshapes stay open from frame to frame
    frames = "new Promise((next) => new MutationObserver(next).observe(results, { childList: true }))"
    browser.run(f"const results = document.getElementById('results'); {frames}.then(() => {frames}).then(() => 0)")
    assert browser.run("[document.querySelector('details').open, document.activeElement.tagName]") == [
        True,
        "SUMMARY",
    ]
    browser.run("document.getElementById('webcam').focus()")
    browser.press("Enter")
    browser.wait_until("document.getElementById('status').textContent === 'The webcam is off.'")
    assert browser.complaints == []
    assert browser.requests == [geometry.as_uri()]


def _page(model: str, folder: Path) -> Path:
    done = CliRunner().invoke(page, ["--model", model, "--output", str(folder / "page")], catch_exceptions=False)
    assert done.exit_code == 0
    return folder / "page/index.html"


def _png(photograph: np.ndarray, folder: Path) -> Path:
    Image.fromarray(photograph).save(folder / "photograph.png")
    return folder / "photograph.png"


def _lying_jpeg(photograph: np.ndarray, folder: Path) -> Path:
    """Write a photograph on its side, which its EXIF note turns upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(photograph).transpose(Image.Transpose.ROTATE_90)
    lying.save(folder / "photograph.jpg", quality=95, exif=exif)
    return folder / "photograph.jpg"


def _camera(photograph: np.ndarray, folder: Path) -> tuple[str, ...]:
    """Return arguments that give Chromium a camera before which a photograph stands."""
    film = folder / "camera.mjpeg"
    Image.fromarray(photograph).save(film, "JPEG", quality=95)
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


_FOCUSED = "[document.activeElement.id, getComputedStyle(document.activeElement).outlineWidth]"

_DROPPED = """
(async () => {
  const bytes = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "%s"));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  return JSON.stringify(await openfer.last());
})()
"""
