import io

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.made_studies import table as study_table_of

from openfer.errors import DataError
from openfer.evaluation.figures import (
    attention_sheet,
    confusion_picture,
    importance_picture,
    recall_picture,
    study_picture,
    sweep_picture,
    training_curves,
)

CLASSES = ["neutral", "happiness", "fear"]


@pytest.fixture
def confusion():
    counts = [[8, 2, 0], [1, 4, 0], [0, 0, 0]]
    return pd.DataFrame(counts, index=pd.Index(CLASSES, name="true"), columns=pd.Index(CLASSES, name="predicted"))


@pytest.fixture
def importance():
    columns = {"factor": ["gender", "pose"], "mean": [0.4, 0.7], "std": [0.1, 0.05], "n": [300, 300]}
    return pd.DataFrame(columns).assign(learned=True)


def drawn(figure):
    """The bytes of the picture: drawing it fails where its parts do not fit together."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=40)
    return buffer.getvalue()


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_the_confusion_colours_shares_of_the_true_class_and_says_n_and_accuracy(confusion):
    axes = confusion_picture(confusion).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.8, 0.2, 0], [0.2, 0.8, 0], [0, 0, 0]])
    assert axes.get_yticklabels()[0].get_text() == "neutral (n = 10)"
    assert axes.get_title(loc="left") == "Confusion of expression, n = 15, accuracy 80.0%"


def test_the_confusion_picture_writes_count_and_share_in_every_cell(confusion):
    figure = confusion_picture(confusion)
    axes = figure.axes[0]
    assert words(axes)[:3] == ["8\n80%", "2\n20%", "0"]
    assert drawn(figure)


def test_a_confusion_of_many_identities_is_drawn_without_text():
    names = [f"p{i:03d}" for i in range(60)]
    many = pd.DataFrame(np.eye(60, dtype=int), index=names, columns=names)
    assert words(confusion_picture(many).axes[0]) == []


def predictions(right, variant, **names):
    true = np.repeat(CLASSES[:2], [10, 5])
    table = pd.DataFrame({"sample_id": [f"s{i}" for i in range(15)], "y_true": true})
    table["y_pred"] = np.where(right, true, "fear")
    defaults = {"fold": 0, "seed": 0, "method": variant, "selection": "last", "task": "expression"}
    table = table.assign(variant=variant, **(defaults | names))
    return table.assign(**{f"p_{name}": (table.y_pred == name).astype(float) for name in CLASSES})


def test_recall_points_stand_side_by_side_with_n_and_a_wilson_interval():
    right = np.arange(15) != 0
    figure = recall_picture(pd.concat([predictions(right, "addl"), predictions(True, "baseline")]))
    (axes,) = figure.axes
    assert axes.get_legend_handles_labels()[1] == ["ADDL", "Baseline"]
    assert axes.get_xticklabels()[0].get_text() == "neutral\nn = 10"
    first, second = axes.lines
    np.testing.assert_allclose(first.get_ydata(), [0.9, 1, np.nan])
    # Wilson's interval of 9 of 10, from its definition
    z, n, p = 1.959964, 10, 0.9
    centre, half = (p + z**2 / 2 / n), z * (p * (1 - p) / n + z**2 / 4 / n**2) ** 0.5
    low, high = axes.collections[0].get_segments()[0][:, 1]
    np.testing.assert_allclose([low, high], [(centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)], 1e-5)
    assert "n = 15" in figure.get_suptitle()
    assert first.get_marker() != second.get_marker()


def test_recall_of_several_seeds_is_their_mean_and_says_so():
    tables = [predictions(np.arange(15) >= wrong, "addl", seed=wrong) for wrong in (1, 3)]
    (axes,) = recall_picture(pd.concat(tables)).axes
    assert axes.get_legend_handles_labels()[1] == ["ADDL, mean of 2 seeds"]
    assert axes.lines[0].get_ydata()[0] == pytest.approx(0.8)


def test_recall_of_two_tasks_is_not_drawn_in_one_figure():
    with pytest.raises(DataError, match=r"found \['expression', 'gender'\]"):
        recall_picture(pd.concat([predictions(True, "addl"), predictions(True, "addl", task="gender")]))


def history(**extra):
    rows = [
        ("train", epoch, split, name, value / epoch)
        for epoch in (2, 1, 3)
        for split, name, value in (
            ("train", "main/total", 2.0),
            ("val", "accuracy/expression", 0.5),
            ("train", "watch/alpha", 1.0),
        )
    ]
    return pd.DataFrame(rows, columns=["stage", "epoch", "split", "name", "value"]).assign(**extra)


def test_curves_have_one_panel_per_name_with_accuracies_first_and_epochs_in_order():
    accuracy, loss, alpha = training_curves(history()).axes
    titles = [axes.get_title(loc="left") for axes in (accuracy, loss, alpha)]
    assert titles == ["accuracy/expression", "main/total", "watch/alpha"]
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3]
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [2, 1, 2 / 3])
    assert accuracy.get_ylim() == (0, 1.02)


def test_methods_differ_in_colour_and_marker_and_splits_in_dash():
    figure = training_curves(pd.concat([history(method="baseline"), history(method="addl")]))
    accuracy, loss, _ = figure.axes
    assert [line.get_label() for line in accuracy.lines] == ["baseline val", "addl val"]
    assert len({line.get_color() for line in accuracy.lines}) == 2
    assert len({line.get_marker() for line in accuracy.lines}) == 2
    assert (loss.lines[1].get_linestyle(), accuracy.lines[1].get_linestyle()) == ("-", "--")


def test_each_line_is_in_the_legend_once():
    (legend,) = training_curves(history()).legends
    assert [text.get_text() for text in legend.get_texts()] == ["val", "train"]


def test_histories_that_cannot_be_told_apart_are_refused():
    with pytest.raises(DataError, match="9 values of the training history have the place of another"):
        training_curves(pd.concat([history(), history()]))


def test_an_empty_history_is_refused():
    with pytest.raises(DataError, match="no epoch was recorded"):
        training_curves(history().iloc[:0])


def test_importance_bars_show_mean_and_n(importance):
    figure = importance_picture(importance)
    axes = figure.axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.4, 0.7]
    assert words(axes) == ["0.400", "0.700"]
    assert "n = 300" in figure.get_suptitle()
    assert axes.get_ylim()[0] == 0
    assert drawn(figure)


@pytest.mark.parametrize(
    ("fused", "title"),
    [(2, "Equal weights, set and not learned: 0.500 for each of 2"), (0, "No factor is fused")],
    ids=["equal", "none"],
)
def test_importance_weights_that_nobody_learned_say_so(importance, fused, title):
    table = importance.assign(mean=0.5, std=0.0, learned=False)[:fused]
    figure = importance_picture(table)
    assert figure.get_suptitle().startswith(title)
    assert drawn(figure)


@pytest.fixture
def sheet():
    images = np.full((9, 16, 16, 3), 128, np.uint8)
    maps = np.arange(9 * 4).reshape(9, 2, 2) * 3.0
    maps[5] = 7.0
    return attention_sheet(images, maps, ["fear"] * 9, ["fear", "anger"] + ["fear"] * 7)


def test_every_face_stands_above_its_map_stretched_over_the_whole_face(sheet):
    axes = np.array(sheet.axes).reshape(4, 7)
    face, overlay = axes[0, 0].images[0], axes[1, 0].images[1]
    assert face.get_array().shape == (16, 16, 3)
    assert overlay.get_extent() == face.get_extent()
    np.testing.assert_allclose(overlay.get_array(), [[0, 1 / 3], [2 / 3, 1]])
    assert len(axes[2, 1].images) == 1
    assert len(axes[2, 2].images) == 0


def test_a_wrong_prediction_is_marked_by_words_and_a_frame(sheet):
    axes = np.array(sheet.axes).reshape(4, 7)
    assert axes[0, 0].get_title() == "fear\n✓"
    assert axes[0, 1].get_title() == "fear\n✗ WRONG: anger"
    assert not axes[1, 0].patches
    assert axes[1, 1].patches[-1].get_linestyle() == "--"
    assert "8 of 9 faces right" in sheet.get_suptitle()


def test_a_flat_map_is_drawn_as_nowhere(sheet):
    axes = np.array(sheet.axes).reshape(4, 7)
    assert axes[1, 5].images[1].get_array().max() == 0
    assert drawn(sheet)


@pytest.mark.parametrize(("differs", "shown"), [("", True), ("86.93 published, not comparable: n", False)])
def test_a_study_draws_published_figures_only_where_they_are_of_the_same_faces(differs, shown):
    found = study_table_of(differs=differs)
    (axis,) = study_picture(found, "Table 3").axes
    assert ("published" in axis.get_legend_handles_labels()[1]) is shown
    assert axis.get_title().startswith("published: RAF-DB" if shown else "RAF-DB; on synthetic_fer")
    assert drawn(axis.figure)
    (swept,) = sweep_picture(found.assign(sweep="T", at=[0.0, 0.0, 1.0, 1.0]), "Fig. 7").axes
    assert ("published" in swept.get_legend_handles_labels()[1]) is shown
