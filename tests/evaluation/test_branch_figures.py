"""Figures of methods with several branches."""

import io

import numpy as np
import pandas as pd
import pytest

from openfer.evaluation.figures import branch_attention_sheet, branches_picture, similarity_picture, training_curves


def drawn(figure):
    """The bytes of the picture: drawing it fails where its parts do not fit together."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=40)
    return buffer.getvalue()


@pytest.fixture
def history():
    """Two branches, then three, four epochs each; similarity falls from epoch to epoch."""
    rows = [("branch_1", 1, "train", "main/total", 3.0)]
    for count in (2, 3):
        for epoch in (1, 2, 3, 4):
            for one in range(1, count + 1):
                for other in range(one + 1, count + 1):
                    value = 1 - 0.1 * epoch - 0.01 * (one + other)
                    rows.append((f"branch_{count}", epoch, "train", f"main/watch/pair_channel_{one}_{other}", value))
    return pd.DataFrame(rows, columns=["stage", "epoch", "split", "name", "value"])


def test_the_heat_maps_go_from_the_first_epoch_with_two_learners_to_the_last(history):
    figure = similarity_picture(history)
    maps = [axes for axes in figure.axes if axes.images]
    titles = [axes.get_title() for axes in maps]
    assert len(titles) == 6
    assert titles[0] == "branch_2, epoch 1\nmean 0.87"
    assert titles[-1] == "branch_3, epoch 4\nmean 0.56"
    matrix = maps[-1].images[0].get_array()
    np.testing.assert_allclose(matrix, [[1, 0.57, 0.56], [0.57, 1, 0.55], [0.56, 0.55, 1]])
    assert maps[-1].images[0].get_clim() == (0, 1)
    assert [text.get_text() for text in maps[-1].texts][:3] == ["1.00", "0.57", "0.56"]
    assert drawn(figure)


def test_a_training_without_two_learners_is_told_as_such(history):
    figure = similarity_picture(history[history["stage"] == "branch_1"])
    assert [text.get_text() for text in figure.texts] == ["No two learners were compared in this training."]
    assert drawn(figure)


def test_cells_of_a_matrix_are_no_training_curves(history):
    (axes,) = training_curves(history).axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[3.0]]


def test_accuracy_is_drawn_against_branches_with_its_standard_error_and_n():
    rows = [
        ("val", 1, 0.5, 0.5, 100),
        ("val", 2, 0.6, 0.4, 100),
        ("test", 1, 0.4, 0.4, 400),
        ("test", 2, 0.5, 0.45, 400),
    ]
    figure = branches_picture(pd.DataFrame(rows, columns=["role", "branches", "vote", "alone", "n"]))
    (axes,) = figure.axes
    vote, alone = axes.lines[:2]
    assert vote.get_xydata().tolist() == [[1, 0.5], [2, 0.6]]
    assert alone.get_ydata().tolist() == [0.5, 0.4]
    assert vote.get_label() == "vote of the first, val (n = 100)"
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(0.6 + (0.6 * 0.4 / 100) ** 0.5)
    assert drawn(figure)


@pytest.fixture
def sheet():
    images = np.full((2, 16, 16, 3), 128, np.uint8)
    maps = {"local": np.arange(8).reshape(2, 2, 2) * 3.0, "global": np.full((2, 1, 1), 7.0)}
    return branch_attention_sheet(images, maps, ["fear", "anger"], ["fear", "sadness"])


def test_every_face_stands_beside_the_map_of_each_branch(sheet):
    grid = np.array(sheet.axes).reshape(2, 3)
    assert [axes.get_title() for axes in grid[0]] == ["face", "local", "global"]
    assert len(grid[0, 0].images) == 1
    np.testing.assert_allclose(grid[1, 1].images[1].get_array(), [[0, 1 / 3], [2 / 3, 1]])
    assert grid[0, 2].images[1].get_array().max() == 0  # a flat map is drawn as nowhere
    assert drawn(sheet)


def test_a_wrong_prediction_is_marked_by_words_and_a_frame_around_every_map(sheet):
    grid = np.array(sheet.axes).reshape(2, 3)
    assert grid[0, 0].get_ylabel() == "fear"
    assert grid[1, 0].get_ylabel() == "anger\n✗ WRONG:\nsadness"
    assert [len(axes.patches) for axes in grid[:, 1]] == [0, 2]
    assert "1 of 2 faces right" in sheet.get_suptitle()
