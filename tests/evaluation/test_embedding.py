import io

import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation import embedding
from openfer.evaluation.embedding import embedding_table, tsne
from openfer.evaluation.figures import tsne_picture
from openfer.evaluation.predictions import features_table
from openfer.schemas import EMBEDDING

CLASSES = ("neutral", "fear", "contempt")


def run(seed, names, wrong=()):
    """Features far apart by class, and answers of which some are wrong."""
    true = [CLASSES[number % 3] for number in range(len(names))]
    draw = np.random.default_rng(seed)
    centres = 20 * draw.normal(size=(3, 60))
    features = centres[np.arange(len(names)) % 3] + draw.normal(size=(len(names), 60))
    answers = ["fear" if name in wrong else label for name, label in zip(names, true, strict=True)]
    return features_table(names, features, true), pd.DataFrame({"sample_id": names, "y_pred": answers})


@pytest.fixture(scope="module")
def table():
    names = [f"s{number}" for number in range(45)]
    return embedding_table({"one": run(0, names, wrong={"s9"}), "other": run(1, names[::-1][:40])})


def test_what_lies_together_in_feature_space_lies_together_in_the_plane(table):
    for _, own in EMBEDDING.validate(table).groupby("run"):
        points, labels = own[["x", "y"]].to_numpy(), own["y_true"].to_numpy()
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        assert (labels[apart.argmin(1)] == labels).all()


def test_runs_are_shown_on_the_faces_that_all_were_tested_on_in_one_order(table):
    one, other = (table.loc[table["run"] == name, "sample_id"].tolist() for name in ("one", "other"))
    assert one == other
    assert len(one) == 40


def test_the_same_features_give_the_same_plane():
    features = np.random.default_rng(0).normal(size=(30, 60))
    assert (tsne(features) == tsne(features.copy())).all()


def test_four_faces_are_enough_and_three_are_not():
    assert tsne(np.random.default_rng(0).normal(size=(4, 60))).shape == (4, 2)
    with pytest.raises(DataError, match="one, other share 3 tested faces, t-SNE wants 4 or more"):
        embedding_table({"one": run(0, list("abcde")), "other": run(1, list("cdefg"))})


def test_of_many_faces_the_same_random_ones_are_shown_for_every_run(monkeypatch):
    monkeypatch.setattr(embedding, "MOST_FACES", 20)
    names = [f"s{number}" for number in range(45)]
    table = embedding_table({"one": run(0, names), "other": run(1, names)})
    one, other = (table.loc[table["run"] == name, "sample_id"].tolist() for name in ("one", "other"))
    assert one == other
    assert len(set(one)) == 20


def test_points_lead_to_their_faces_and_a_wrong_answer_is_hollow():
    names = [f"s{number}" for number in range(9)]
    figure = tsne_picture(embedding_table({"one": run(0, names, wrong={"s0"}), "other": run(1, names)}))
    right, wrong = figure.axes[0].collections[:2]
    assert (right.get_urls(), wrong.get_urls()) == (["#face-s3", "#face-s6"], ["#face-s0"])
    assert len(right.get_facecolors()) == 1
    assert len(wrong.get_facecolors()) == 0


def test_the_picture_has_a_panel_for_each_run_and_one_legend(table):
    figure = tsne_picture(table)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["one, 97.5% right", "other, 100.0% right"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(CLASSES)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=40)
    assert buffer.getvalue()
