"""The doctor's page: one file without any request to a network."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
from PIL import Image

from openfer.datasets.contract import About
from openfer.labels import EXPRESSIONS

_THUMBNAIL = 112
_WORST = {"good": 0, "note": 1, "problem": 2}
_SIGNS = {"good": "✓ good", "note": "● note", "problem": "✗ problem"}

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #0a7d4f; --note: #8a6100; --problem: #c22f2f; }
@media (prefers-color-scheme: dark) { :root { --good: #4fd19b; --note: #e0b34a; --problem: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { border-left: .4rem solid var(--good); padding: .6rem 1rem; background: #8881; font-size: 1.1rem; }
.verdict.problem { border-color: var(--problem); color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .note { color: var(--note); } .problem { color: var(--problem); font-weight: 600; }
td.level { white-space: nowrap; }
@media (max-width: 40rem) {
  .findings thead { display: none; }
  .findings tr { display: grid; grid-template-columns: 6.5rem 1fr; border-bottom: 1px solid var(--line); }
  .findings td { border: 0; padding: .1rem .4rem; overflow-wrap: anywhere; }
  .findings td:nth-child(n + 3) { grid-column: 2; }
  .findings td:nth-child(2) { font-weight: 600; }
  .findings td:nth-child(4)::before { content: "expected "; opacity: .7; }
  .findings td:empty { display: none; }
}
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .5rem; }
figure { margin: 0; } figure img { width: 100%; height: auto; border-radius: .3rem; }
figcaption { font-size: .72rem; overflow-wrap: anywhere; }
"""


def doctor_page(
    about: About,
    dataset: str,
    verdict: str,
    findings: pd.DataFrame,
    counts: pd.DataFrame,
    faces: Mapping[str, Sequence[tuple[str, np.ndarray]]],
) -> str:
    """Return the page.

    Args:
        about: the dataset.
        dataset: the name in the parameters.
        verdict: from :func:`openfer.doctor.findings.verdict`.
        findings: from :func:`openfer.doctor.findings.examine`.
        counts: from :func:`openfer.doctor.findings.class_counts`.
        faces: class -> (path, RGB image) of some of its images.
    """
    bad = (findings["level"] == "problem").any()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Doctor: {escape(about.title)}</title><style>{_STYLE}</style></head><body><main>
<h1>Is this copy of {escape(about.title)} the expected one?</h1>
<p class="verdict{" problem" if bad else ""}" role="status">{escape(verdict)}</p>
<h2>What was looked at</h2>
<div class="wide" tabindex="0" role="region" aria-label="findings">{_findings(findings)}</div>
<h2>Images by class</h2>
<div class="wide" tabindex="0" role="region" aria-label="counts">{_counts(counts)}</div>
<h2>Some images of each class</h2>
<p>Look at them: swapped labels and wrong crops show here first.</p>
{"".join(_faces(name, faces[name]) for name in sorted(faces, key=_by_class))}
<h2>Terms</h2>
<p>{escape(about.licence)}. {escape(about.access)}.</p><p>{escape(about.citation)}</p>
<p>In the parameters this dataset is <code>{escape(dataset)}</code>.</p>
</main></body></html>
"""


def _findings(findings: pd.DataFrame) -> str:
    lines = "".join(
        f'<tr><td class="level {row.level}">{_SIGNS[str(row.level)]}</td><td>{escape(str(row.check))}</td>'
        f"<td>{escape(str(row.found))}</td><td>{escape(str(row.expected))}</td><td>{escape(str(row.meaning))}</td></tr>"
        for row in findings.sort_values("level", key=lambda level: -level.map(_WORST), kind="stable").itertuples()
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "check", "found", "expected", "what it means"))
    return f'<table class="findings"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _by_class(name: str) -> tuple[bool, int, str]:
    """Return where a class comes: expressions in their usual order, then what else there is."""
    known = name in EXPRESSIONS
    return not known, EXPRESSIONS.index(name) if known else 0, name


def _counts(counts: pd.DataFrame) -> str:
    lines = []
    for partition, label, found, published in counts.itertuples(index=False):
        known = not pd.isna(published)
        level = " problem" if known and found != published else ""
        lines.append(
            f"<tr><td>{escape(partition) or '(no partition)'}</td><td>{escape(label)}</td>"
            f'<td class="number{level}">{found:,}</td><td class="number">{f"{published:,}" if known else ""}</td></tr>'
        )
    head = (
        '<th scope="col">partition</th><th scope="col">class</th><th scope="col" class="number">found</th>'
        '<th scope="col" class="number">published</th>'
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _faces(name: str, images: Sequence[tuple[str, np.ndarray]]) -> str:
    figures = "".join(
        f'<figure><img alt="{escape(name)}" src="{_encoded(image)}"><figcaption>{escape(path)}</figcaption></figure>'
        for path, image in images
    )
    return f'<h3>{escape(name)}</h3><div class="faces">{figures}</div>'


def _encoded(image: np.ndarray) -> str:
    picture = Image.fromarray(image)
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side)).resize((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    square.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
