"""Sections that show faces: where features put them, and which ones most methods get wrong."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import pandas as pd

from openfer.evaluation.embedding import tsne
from openfer.evaluation.entries import Entry
from openfer.evaluation.figures.style import COLOURS, quiet
from openfer.evaluation.hardest import hardest_faces
from openfer.evaluation.leaderboard import TASK
from openfer.evaluation.predictions import FEATURE_PREFIX
from openfer.evaluation.report.parts import Figures, Section, paragraph
from openfer.io.web_page import thumbnail
from openfer.labels import EXPRESSIONS
from openfer.seeds import generator_for

_PLACED = 300
"""Faces of a test set that are placed on a plane, the same ones for all methods; a page holds a picture of each."""

_MOST_PLANES = 8
_FEWEST = 10
_HARDEST = 24
_SMALL, _LARGE = 64, 112
_QUALITY = 70


def features_section(entries: Sequence[Entry], figures: Figures) -> tuple[Section, dict[str, str]]:
    """Return t-SNE planes of what classifiers read, and the pictures of the faces on them.

    Args:
        entries: all methods.
        figures: takes the planes.
    """
    drawn: list[str] = []
    pictures: dict[str, str] = {}
    left_out: list[str] = []
    for same in _by_test(entries):
        known = [entry for entry in same if entry.runs[0].with_features]
        chosen = _some(_shared(entry.runs[0].with_features for entry in known))
        if len(chosen) < _FEWEST:
            continue
        for entry in known:
            if len(drawn) == _MOST_PLANES:
                left_out.append(entry.name)
                continue
            place = _placed(entry.runs[0].features(chosen))
            label = f"t-SNE of the features of {entry.name} for {len(place)} faces of {entry.tested}"
            drawn.append(
                f"<figure>{figures.add(_plane(place), label, 440, shows_faces=True)}<figcaption>{escape(entry.name)}, "
                f"{len(place)} faces of {escape(entry.tested)}, coloured by true class. "
                f"Run {escape(entry.runs[0].name)}.</figcaption></figure>"
            )
        pictures |= pictures_of(same, chosen, _SMALL)
    said = (
        "Each point is a tested face, placed by t-SNE of what the classifier reads: neighbours look alike to the "
        "method. Distances between groups and the axes mean nothing. The pointer, or a tap, shows the face."
    )
    more = paragraph(f"Not drawn: {', '.join(left_out)}.") if left_out else ""
    body = f'{paragraph(said)}<div class="side-by-side">{"".join(drawn)}</div>{more}'
    return Section("features", "Features", body), pictures


def _placed(features: pd.DataFrame) -> pd.DataFrame:
    """Return ``sample_id, y_true, x, y``: faces on the plane of t-SNE."""
    x, y = tsne(features.filter(regex=f"^{FEATURE_PREFIX}").to_numpy()).T
    return features[["sample_id", "y_true"]].assign(x=x, y=y)


def hardest_section(entries: Sequence[Entry]) -> Section:
    """Return the faces that most methods get wrong, with true and given labels."""
    parts = [
        paragraph(
            "The faces that most methods get wrong, the most confident mistakes first; where wrong answers differ, "
            "with their shares. How sure is the mean over all wrong answers. Some faces are hard, and some labels are "
            "doubtful: look before you blame the method."
        )
    ]
    for same in _by_test(entries):
        answers = {entry.name: entry.main(TASK) for entry in same if len(entry.main(TASK))}
        if not answers:
            continue
        table = hardest_faces(answers, _HARDEST)
        pictures = pictures_of(same, table["sample_id"].tolist(), _LARGE)
        items = "".join(_item(row, pictures) for _, row in table.iterrows())
        parts.append(
            f"<h3>Of {escape(same[0].tested)}, {len(answers)} method{'s' if len(answers) != 1 else ''}</h3>"
            f'<ul class="faces">{items}</ul>'
        )
    return Section("hardest", "Hardest faces", "".join(parts))


def pictures_of(entries: Sequence[Entry], sample_ids: Sequence[str], side: int) -> dict[str, str]:
    """Return small pictures of samples that methods were tested on, as addresses; those that are not here are not."""
    names = dict.fromkeys(name for entry in entries for table in entry.facts["datasets"] for name in table)
    found: dict[str, str] = {}
    for dataset in names:
        store = entries[0].runs[0].faces(dataset)
        if store is None:
            continue
        known = set(store.sample_ids.tolist())
        wanted = [name for name in sample_ids if name in known]
        rows = store.rows_of(wanted)
        found |= {
            name: thumbnail(store.image(int(row)), side, _QUALITY) for name, row in zip(wanted, rows, strict=True)
        }
    return found


def _by_test(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the entries that answer for expressions, by what they were tested on."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if len(entry.main(TASK)):
            groups.setdefault(entry.tested, []).append(entry)
    return list(groups.values())


def _shared(names: Iterable[Sequence[str]]) -> list[str]:
    sets = [set(column) for column in names]
    return sorted(set.intersection(*sets)) if sets else []


def _some(names: Sequence[str]) -> list[str]:
    chosen = generator_for(0, "report", "faces").permutation(len(names))[:_PLACED]
    return [names[number] for number in sorted(chosen)]


def _plane(place: pd.DataFrame) -> object:
    import plotly.graph_objects as go

    figure = go.Figure()
    known = set(place["y_true"])
    names = [name for name in EXPRESSIONS if name in known]
    for number, name in enumerate(names):
        own = place[place["y_true"] == name]
        figure.add_scatter(
            x=own["x"],
            y=own["y"],
            customdata=own["sample_id"],
            name=name,
            mode="markers",
            marker={"color": COLOURS[number % len(COLOURS)], "symbol": number, "size": 8, "opacity": 0.85},
            hovertemplate="%{fullData.name}<extra></extra>",
        )
    quiet(figure, "")
    hidden = {"showticklabels": False, "zeroline": False, "showgrid": False, "showline": True, "mirror": True}
    figure.update_xaxes(**hidden, linecolor="#d8dce2").update_yaxes(**hidden, linecolor="#d8dce2")
    legend = {"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0}
    return figure.update_layout(legend=legend, margin={"l": 5, "r": 5, "b": 5}, hovermode="closest")


def _item(row: "pd.Series", pictures: Mapping[str, str]) -> str:
    true, answer = str(row["y_true"]), str(row["answer"])
    name = str(row["sample_id"])
    image = (
        f'<img alt="a face labelled {escape(true)}" src="{pictures[name]}">' if name in pictures else "(face not here)"
    )
    return (
        f"<li><figure>{image}<figcaption>labelled <strong>{escape(true)}</strong>, wrong for {row['wrong']} of "
        f"{row['methods']}: <strong>{escape(answer)}</strong>, {100 * row['confidence']:.0f} % sure"
        f'<br><code class="quiet">{escape(name)}</code></figcaption></figure></li>'
    )
