"""The page that describes the service, in one file without any request to another server."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from openfer.inference.card import ModelCard
from openfer.inference.serve.limits import Limits

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 1rem; }
pre { background: #8881; padding: .6rem; overflow-x: auto; } h2 { font-size: 1.15rem; margin-top: 2rem; }
"""
_SCRIPT = """
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const shown = document.querySelector("output");
  shown.textContent = "…";
  const answer = await fetch("predict", { method: "POST", body: new FormData(event.target) });
  shown.textContent = answer.status + "\\n" + JSON.stringify(await answer.json(), null, 1);
});
"""


def docs_page(description: Mapping[str, Any], card: ModelCard, limits: Limits) -> str:
    """Return HTML: what can be asked, a form to try it, the limits and the model.

    Args:
        description: OpenAPI's, of the service.
        card: of the model.
        limits: of the service.
    """
    asked = "".join(
        f"<h2>{method.upper()} <code>{escape(path)}</code></h2><p>{escape(about.get('description', ''))}</p>"
        f"<p>{_answers(about['responses'])}</p>"
        for path, methods in description["paths"].items()
        for method, about in methods.items()
    )
    told = "".join(f"<li>{escape(name)}: {value:g}</li>" for name, value in limits.model_dump().items())
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in card.limits)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; connect-src 'self'; style-src 'unsafe-inline';
 script-src 'unsafe-inline'"><link rel="icon" href="data:,"><title>{escape(description["info"]["title"])}</title>
<style>{_STYLE}</style></head><body><main><h1>{escape(description["info"]["title"])}</h1>
{sentences}
<form><label>Images <input type="file" name="images" multiple accept="image/*" required></label>
<button>Predict</button></form><pre><output></output></pre>
<pre>curl -F images=@one.jpg -F images=@two.jpg http://HOST:PORT/predict</pre>
{asked}
<h2>Limits</h2><ul>{told}</ul>
<p>The whole description is <a href="openapi.json">openapi.json</a>.</p>
<h2>Model</h2><pre>{escape(json.dumps(card.model_dump(mode="json"), indent=1))}</pre>
</main><script>{_SCRIPT}</script></body></html>
"""


def _answers(responses: Mapping[str, Any]) -> str:
    return "; ".join(f"{escape(status)}: {escape(about['description'])}" for status, about in responses.items())
