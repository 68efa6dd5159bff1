import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from openfer.errors import DataError
from openfer.evaluation.figures import grad_cam_comparison, grad_cam_sheet

CELLS = np.arange(16.0)


def png():
    buffer = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), 128, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def table(pairs, method="addl", tasks=("expression",), cells=CELLS):
    """One row per task and (true, predicted) pair."""
    named = {"method": method, "variant": method, "selection": "best_val", "seed": 0, "image": png()}
    maps = {"rows": 4, "columns": 4, "of_predicted": cells, "of_true": cells[::-1]}
    return pd.DataFrame(
        [
            named | maps | {"sample_id": f"s{i}", "task": task, "y_true": true, "y_pred": predicted}
            for task in tasks
            for i, (true, predicted) in enumerate(pairs)
        ]
    )


def grid(figure, rows):
    return np.array(figure.axes).reshape(rows, -1)


def test_a_wrong_answer_has_a_second_map_of_the_true_class():
    figure = grad_cam_sheet(table([("fear", "fear"), ("fear", "anger")]))
    axes = grid(figure, 3)
    assert [a.get_title() for a in axes[0]] == ["fear", "fear"]
    assert [a.get_title() for a in axes[1]] == ["✓ fear", "✗ WRONG: anger"]
    assert [len(a.images) for a in axes[2]] == [0, 2]
    np.testing.assert_allclose(axes[1, 1].images[1].get_array(), CELLS.reshape(4, 4) / 15)
    np.testing.assert_allclose(axes[2, 1].images[1].get_array(), CELLS[::-1].reshape(4, 4) / 15)
    assert axes[1, 1].patches[-1].get_linestyle() == "--"
    assert not axes[1, 0].patches
    assert "Grad-CAM of ADDL (best_val)" in figure.get_suptitle()


def test_each_task_has_its_line_and_of_many_the_first_eight_are_drawn_and_counted():
    tasks = [f"attribute_{number}" for number in range(10)]
    figure = grad_cam_sheet(table([("present", "present")], tasks=tasks))
    axes = grid(figure, 9)
    assert axes[0, 0].get_title() == "present"
    assert [a.get_ylabel().split(",")[0] for a in axes[1:, 0]] == tasks[:8]
    assert "the first 8 of 10 tasks" in figure.get_suptitle()


def test_a_face_that_two_tasks_label_differently_has_no_title():
    both = pd.concat([table([("male", "male")], tasks=["gender"]), table([("asian", "asian")], tasks=["race"])])
    axes = grid(grad_cam_sheet(both), 3)
    assert [a.get_title() for a in axes[:, 0]] == ["", "✓ male", "✓ asian"]


def test_a_face_without_a_label_is_neither_right_nor_wrong():
    axes = grid(grad_cam_sheet(table([(None, "fear")])), 2)
    assert axes[0, 0].get_title() == "(no label)"
    assert axes[1, 0].get_title() == "fear"
    assert not axes[1, 0].patches


def test_a_map_of_zeros_says_that_nothing_speaks_for_the_class():
    axes = grid(grad_cam_sheet(table([("fear", "fear")], cells=np.zeros(16))), 2)
    assert axes[1, 0].images[1].get_array().max() == 0
    assert "nothing speaks for it" in axes[1, 0].get_title()


def test_methods_are_lines_and_faces_are_columns():
    first, second = table([("fear", "fear")] * 3), table([("fear", "anger")] * 3, "baseline")
    axes = grid(grad_cam_comparison([first, second]), 3)
    assert [a.get_ylabel() for a in axes[:, 0]] == ["face", "ADDL", "Baseline"]
    assert [a.get_title() for a in axes[2]] == ["✗ WRONG: anger"] * 3


def test_maps_of_different_faces_are_not_put_beside_each_other():
    with pytest.raises(DataError, match=r"of different faces, such as .*'s0'"):
        grad_cam_comparison([table([("fear", "fear")] * 2), table([("fear", "fear")] * 3)])


def test_no_maps_at_all_are_refused():
    with pytest.raises(DataError, match="no face was tested"):
        grad_cam_sheet(table([("fear", "fear")]).iloc[:0])
