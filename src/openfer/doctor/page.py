"""The doctor's page: one file without any request to a network."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

from openfer.datasets.contract import About
from openfer.io.web_page import scrolling, thumbnail, web_page
from openfer.labels import EXPRESSIONS

_THUMBNAIL = 112
_WORST = {"good": 0, "note": 1, "problem": 2}
_SIGNS = {"good": "✓ good", "note": "● note", "problem": "✗ problem"}

_STYLE = """
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --good: #4fd19b; --note: #e0b34a; --problem: #ff8a80; } }
.verdict.problem { border-color: var(--problem); color: inherit; }
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
    body = f"""<h1>Is this copy of {escape(about.title)} the expected one?</h1>
<p class="verdict{" problem" if bad else ""}" role="status">{escape(verdict)}</p>
<h2>What was looked at</h2>
{scrolling(_findings(findings), "findings")}
<h2>Images by class</h2>
{scrolling(_counts(counts), "counts")}
<h2>Some images of each class</h2>
<p>Look at them: swapped labels and wrong crops show here first.</p>
{"".join(_faces(name, faces[name]) for name in sorted(faces, key=_by_class))}
<h2>Terms</h2>
<p>{escape(about.licence)}. {escape(about.access)}.</p><p>{escape(about.citation)}</p>
<p>In the parameters this dataset is <code>{escape(dataset)}</code>.</p>"""
    return web_page(f"Doctor: {about.title}", body, _STYLE)


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
        f'<figure><img alt="{escape(name)}" src="{thumbnail(image, _THUMBNAIL)}">'
        f"<figcaption>{escape(path)}</figcaption></figure>"
        for path, image in images
    )
    return f'<h3>{escape(name)}</h3><div class="faces">{figures}</div>'
