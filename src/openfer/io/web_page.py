"""What every page of openfer shares: one file without any request to a network, readable on a phone."""

import base64
import io
from html import escape

import numpy as np
from PIL import Image

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""A browser refuses whatever the page would fetch."""

_STYLE = """
:root { --line: #8884; --good: #0a7d4f; --note: #8a6100; --problem: #c22f2f; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { border-left: .4rem solid var(--good); padding: .6rem 1rem; background: #8881; font-size: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .5rem; }
figure { margin: 0; } figure img { width: 100%; height: auto; border-radius: .3rem; }
figcaption { font-size: .72rem; overflow-wrap: anywhere; }
"""


def web_page(title: str, body: str, style: str, scripts: str = "") -> str:
    """Return a whole page.

    Args:
        title: plain text.
        body: HTML of the main part.
        style: CSS beside what all pages share.
        scripts: ``<script>`` elements that follow it.
    """
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><link rel="icon" href="data:,">
<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body><main>
{body}
</main>{scripts}</body></html>
"""


def scrolling(content: str, label: str) -> str:
    """Return HTML that scrolls sideways where it is wider than the page, by the keyboard too."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{escape(label)}">{content}</div>'


def thumbnail(image: np.ndarray, side: int, quality: int = 85) -> str:
    """Return the centre square of an RGB image as the address of a small picture that it holds itself."""
    picture = Image.fromarray(image)
    whole = min(picture.size)
    left, top = (picture.width - whole) // 2, (picture.height - whole) // 2
    return jpeg(picture.crop((left, top, left + whole, top + whole)).resize((side, side)), quality)


def png(picture: Image.Image) -> str:
    """Return a picture as the address of a PNG file that it holds itself."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def jpeg(picture: Image.Image, quality: int) -> str:
    """Return a picture as the address of a JPEG file that it holds itself."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
