"""Write the page: the model, the face landmarker, ONNX Runtime and the page's own scripts in one HTML file."""

import base64
import gzip
import json
from html import escape
from pathlib import Path
from typing import Any

from openfer.errors import ParameterError
from openfer.faces.mediapipe.blendshapes import BLENDSHAPES, READ
from openfer.faces.mediapipe.canonical import read_canonical
from openfer.faces.mediapipe.model_file import read_landmarker
from openfer.faces.template import template_points
from openfer.inference.card import ModelCard
from openfer.inference.page.networks import to_onnx
from openfer.inference.predictor import Predictor
from openfer.inference.settings import SMALLEST_FACE
from openfer.io.atomic import write_bytes

_HERE = Path(__file__).parent
_SCRIPTS = ("runtime.js", "pixels.js", "geometry.js", "faces.js", "page.js")
"""In the order in which they need each other; they share one module."""

_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'wasm-unsafe-eval'; form-action 'none'; base-uri 'none'"
)
"""A browser refuses whatever the page would fetch."""


def write_page(predictor: Predictor, folder: Path) -> Path:
    """Write ``index.html`` and ``NOTICE.txt``; the page predicts in a browser and sends no request.

    Args:
        predictor: the model.
        folder: is made; files of other names in it stay.

    Returns:
        The page's path.

    Raises:
        ParameterError: if ``folder`` is a file.
        StorageError: if the disk is full.
    """
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"--output is {folder}, which is a file; give the path of a folder")
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    write_bytes(page, _html(predictor).encode())
    write_bytes(folder / "NOTICE.txt", _notice().encode())
    return page


def _html(predictor: Predictor) -> str:
    card, file = predictor.card, read_landmarker()
    networks = {"detector": to_onnx(file.detector), "mesh": to_onnx(file.mesh), "model": predictor.path.read_bytes()}
    if card.input == "geometry":
        networks["blendshapes"] = to_onnx(file.blendshapes)
    packed = {name: gzip.compress(content, mtime=0) for name, content in networks.items()}
    packed["runtime"] = (_HERE / "runtime.wasm.gz").read_bytes()
    canonical = read_canonical(file.canonical)
    settings = {
        "card": card.model_dump(mode="json"),
        "networks": list(networks),
        "smallest_face": SMALLEST_FACE,
        "canonical": {"points": canonical.points.tolist(), "weights": canonical.weights.tolist()},
        "template": template_points(1).tolist(),
        "read": list(READ),
        "blendshapes": list(BLENDSHAPES),
    }
    data = "".join(
        f'<script type="text/plain" id="{name}">{base64.b64encode(content).decode()}</script>\n'
        for name, content in packed.items()
    )
    scripts = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limits)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><link rel="icon" href="data:,">
<title>openfer: {escape(card.slug)}</title><style>{(_HERE / "style.css").read_text(encoding="utf-8")}</style></head>
<body><main><h1>Facial expressions, in this browser</h1>
<p>Model {escape(card.slug)}. {_accuracy(card)} No picture leaves this computer.</p>
<div class="drop"><label for="file">Drop a photograph here, or choose one:</label>
<input type="file" id="file" accept="image/*"><button type="button" id="webcam">Use the webcam</button></div>
<p id="status" role="status">Waiting for a photograph.</p>
<div class="sides"><canvas id="canvas" width="1" height="1" role="img" aria-label="The picture with its faces marked">
</canvas><div id="results"></div></div>
<h2>Limits</h2><ul>{limits}</ul>
<details><summary>Licences</summary><pre>{escape(_notice())}</pre></details></main>
<script type="application/json" id="page">{_script_safe(settings)}</script>
{data}<script type="module">{scripts}</script></body></html>
"""


def _accuracy(card: ModelCard) -> str:
    if card.accuracy is None:
        return "Its accuracy was not measured."
    found = card.accuracy
    return f"Accuracy {found.value:.1%} on {found.n} faces ({escape(', '.join(found.datasets))}, {found.role})."


def _script_safe(settings: dict[str, Any]) -> str:
    return json.dumps(settings).replace("<", "\\u003c")


def _notice() -> str:
    return (_HERE / "NOTICE.txt").read_text(encoding="utf-8")
