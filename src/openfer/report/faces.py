"""Sections that show faces: t-SNE planes of features, and the faces that most methods get wrong."""

from collections.abc import Sequence

from markupsafe import Markup

from openfer.evaluation.embedding import embedding_table
from openfer.evaluation.entries import Entry
from openfer.evaluation.figures import tsne_picture
from openfer.evaluation.hardest import hardest_faces
from openfer.evaluation.leaderboard import TASK
from openfer.io.web_page import thumbnail
from openfer.report.parts import Section, drawing, face_list, heading, joined, paragraph, side_by_side
from openfer.seeds import generator_for

_PLACED = 300
"""Faces of a test set in a plane, the same ones for all methods; the page holds a picture of each."""

_MOST_PLANES = 8
_FEWEST = 10
_HARDEST = 24
_SMALL, _LARGE = 64, 112
_QUALITY = 70


def features_section(entries: Sequence[Entry]) -> tuple[Section, dict[str, str]]:
    """Return t-SNE planes of the classifiers' input features, and the pictures of the faces in them by sample id."""
    drawn, left_out, pictures = list[Markup](), list[str](), dict[str, str]()
    for same in _by_test(entries):
        known = [entry for entry in same if entry.runs[0].with_features]
        shared = sorted(set.intersection(*(set(entry.runs[0].with_features) for entry in known))) if known else []
        chosen = [shared[n] for n in sorted(generator_for(0, "report", "faces").permutation(len(shared))[:_PLACED])]
        if len(chosen) < _FEWEST:
            continue
        for entry in known:
            if len(drawn) == _MOST_PLANES:
                left_out.append(entry.name)
                continue
            run, answers = entry.runs[0], entry.main(TASK)
            answers = answers[answers["run"] == run.name]
            label = f"t-SNE of the features of {entry.name} for {len(chosen)} faces of {entry.tested}"
            plane = embedding_table({entry.name: (run.features(chosen), answers)})
            drawn.append(drawing(tsne_picture(plane), label, f"{entry.name} on {entry.tested}. Run {run.name}."))
        pictures |= pictures_of(same, chosen, _SMALL)
    parts = [
        paragraph(
            "Each point is a tested face, placed by t-SNE of the classifier's input features: neighbours are similar "
            "for the method. Distances between groups and the axes mean nothing. Point at a face, or tap it, to see it."
        ),
        side_by_side(drawn),
    ]
    if left_out:
        parts.append(paragraph(f"Not drawn: {', '.join(left_out)}."))
    return Section("features", "Features", joined(parts)), pictures


def hardest_section(entries: Sequence[Entry]) -> Section:
    """Return the faces that most methods get wrong, with true and predicted labels."""
    parts = [
        paragraph(
            "The faces that most methods get wrong, the most confident mistakes first; several wrong answers have "
            "their shares. The confidence is the mean over all wrong answers. Some faces are hard, and some labels are "
            "doubtful: look at the face before you blame the method."
        )
    ]
    for same in _by_test(entries):
        answers = {entry.name: entry.main(TASK) for entry in same}
        table = hardest_faces(answers, _HARDEST)
        pictures = pictures_of(same, table["sample_id"].tolist(), _LARGE)
        parts.append(heading(f"Of {same[0].tested}, {len(answers)} method{'s' if len(answers) != 1 else ''}"))
        shown = table.assign(picture=[pictures.get(name, "") for name in table["sample_id"]])
        parts.append(face_list(shown.to_dict("records")))
    return Section("hardest", "Hardest faces", joined(parts))


def pictures_of(entries: Sequence[Entry], sample_ids: Sequence[str], side: int) -> dict[str, str]:
    """Return small pictures of tested samples as addresses; samples whose faces are not stored here are left out."""
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
    """Return the entries with an expression task, by what they were tested on."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if len(entry.main(TASK)):
            groups.setdefault(entry.tested, []).append(entry)
    return list(groups.values())
