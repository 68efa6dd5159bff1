"""Where methods look: Grad-CAM maps over faces, from the stored maps alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.figures.overlay import WRONG, overlay
from openfer.evaluation.figures.style import Places
from openfer.evaluation.names import run_name
from openfer.io.face import decode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Answer = dict[Any, Any]
"""One row of a table of maps."""

_Line = tuple[str, dict[str, _Answer], str]
"""A line of maps: its label, the rows by face, and the column of the maps."""

_MOST_TASKS = 8
_CELL = 1.45
_NOTE = "Colours run from 0 to the map's own maximum: where within a face, not how much between faces."


def grad_cam_sheet(table: pd.DataFrame) -> "Figure":
    """Return where one method looks: faces, below each the maps of the predicted and of the true class.

    The true class has a map of its own only where the prediction is wrong. Of more than eight tasks the first
    eight are drawn, and the title says so.

    Args:
        table: valid under :data:`openfer.schemas.GRAD_CAM`, of one run.

    Raises:
        DataError: if the table is empty.
    """
    faces = _faces([table])
    tasks = list(dict.fromkeys(table["task"]))
    lines: list[_Line] = []
    for task in tasks[:_MOST_TASKS]:
        answers = _answers(table, task)
        lines.append((f"{task},\npredicted", answers, "of_predicted"))
        wrong = {face: answer for face, answer in answers.items() if _is_wrong(answer)}
        if wrong:
            lines.append((f"{task},\ntrue", wrong, "of_true"))
    name = run_name(str(table["method"].iloc[0]), str(table["variant"].iloc[0]))
    more = f", the first {_MOST_TASKS} of {len(tasks)} tasks" if len(tasks) > _MOST_TASKS else ""
    return _grid(faces, lines, f"Grad-CAM of {name} ({table['selection'].iloc[0]}{more}). {_NOTE}")


def grad_cam_comparison(tables: Sequence[pd.DataFrame]) -> "Figure":
    """Return faces x methods: each method's map of the class that it predicts, for its first task.

    Args:
        tables: one per run, valid under :data:`openfer.schemas.GRAD_CAM`, of the same faces.

    Raises:
        DataError: if a table is empty, or two are of different faces.
    """
    faces = _faces(tables)
    lines: list[_Line] = []
    for table in tables:
        name = run_name(str(table["method"].iloc[0]), str(table["variant"].iloc[0]))
        lines.append((name, _answers(table, table["task"].iloc[0]), "of_predicted"))
    return _grid(faces, lines, f"Grad-CAM of the class that each method predicts. {_NOTE}")


def _faces(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Return the names of the faces that all tables show."""
    sets = [list(dict.fromkeys(table["sample_id"])) for table in tables]
    if not all(sets):
        raise DataError("a table of Grad-CAM maps is empty: no face was tested; check the split's test role")
    for names in sets[1:]:
        if names != sets[0]:
            raise DataError(
                f"Grad-CAM maps are of different faces, such as {sets[0][:2]} and {names[:2]}: the methods were tested "
                "on different datasets or versions of them; run them all on the same split"
            )
    return sets[0]


def _answers(table: pd.DataFrame, task: str) -> dict[str, _Answer]:
    """Return the rows of a task by face, None where a face has no label."""
    rows = table[table["task"] == task]
    rows = rows.assign(y_true=rows["y_true"].astype(object).where(rows["y_true"].notna(), None))
    return {row["sample_id"]: row for row in rows.to_dict("records")}


def _grid(faces: Sequence[str], lines: Sequence[_Line], title: str) -> "Figure":
    """Draw a line of faces, with their label where all lines are about the same one, then the lines of maps."""
    first = lines[0][1]
    one_label = all(first[face]["y_true"] == answer["y_true"] for _, line, _ in lines for face, answer in line.items())
    places = Places((_CELL, _CELL), (0.08, 0.32), rim=(0.4, 0.4, 0.08))
    filled = np.array([[True] * len(faces), *([face in line for face in faces] for _, line, _ in lines)])
    filled[:, 0] = True  # for the labels of the lines
    figure, grid = places.grid(len(lines) + 1, len(faces), title, 6.5, filled)
    for axes in grid[filled]:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_frame_on(False)
    grid[0, 0].set_ylabel("face", fontsize=8)
    for column, face in enumerate(faces):
        grid[0, column].imshow(decode(first[face]["image"]))
        if one_label:
            grid[0, column].set_title(first[face]["y_true"] or "(no label)", fontsize=8, fontweight="bold")
    for row, (label, answers, which) in enumerate(lines, 1):
        grid[row, 0].set_ylabel(label, fontsize=8)
        for column, face in enumerate(faces):
            if face in answers:
                _map(grid[row, column], answers[face], which)
    return figure


def _map(axes: "Axes", answer: _Answer, which: str) -> None:
    cells = np.asarray(answer[which], dtype=float).reshape(answer["rows"], answer["columns"])
    wrong = which == "of_predicted" and _is_wrong(answer)
    overlay(axes, decode(answer["image"]), cells / cells.max() if cells.max() > 0 else cells, wrong=wrong)
    if which == "of_true":
        caption = answer["y_true"]
    elif answer["y_true"] is None:
        caption = answer["y_pred"]
    else:
        caption = f"{WRONG}: {answer['y_pred']}" if wrong else f"✓ {answer['y_pred']}"
    axes.set_title(caption if cells.max() > 0 else f"{caption}\n(nothing speaks for it)", fontsize=7)


def _is_wrong(answer: _Answer) -> bool:
    return answer["y_true"] is not None and answer["y_true"] != answer["y_pred"]
