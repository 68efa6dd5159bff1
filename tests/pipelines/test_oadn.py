"""OADN's nodes on a handful of rendered faces: landmarks go in, the figure and an exported model come out."""

import numpy as np
import pandas as pd
import pytest
import torch

from openfer.io.checkpoint import Checkpoint
from openfer.methods.registry import build
from openfer.pipelines.figures.oadn import attention
from openfer.pipelines.predicting import augmented
from openfer.pipelines.publish import classifier
from openfer.pipelines.sources import Source, faces_for, sources_of
from openfer.pipelines.synthesize.nodes import landmarks
from openfer.pipelines.trained import restore
from openfer.runs.settings import RunSettings
from openfer.schemas import LANDMARKS

SMALL = {"blocks": [1, 1, 1, 1], "sigma": 0.168}


def run_of(**settings):
    block = {"method": "oadn", "datasets": ["tiny"], "seed": 0, "images": {"crop": 64}, "settings": SMALL | settings}
    schedule = {"schedule": {"epochs": 1, "batch_size": 7, "learning_rate": 0.001}}
    return RunSettings.model_validate(block | {"settings": block["settings"] | schedule})


@pytest.fixture(scope="module")
def tables(tiny_faces):
    names = tiny_faces.scenes["sample_id"].to_numpy()
    rows = tiny_faces.scenes[["sample_id", "dataset", "expression"]]
    split = pd.DataFrame({"sample_id": names, "fold": 0, "role": ["train"] * 42 + ["test"] * 14})
    return rows, tiny_faces.store, split, LANDMARKS.validate(landmarks(tiny_faces.store))


def named(rows, store, split, table):
    return {"tiny": Source(rows, store, split, extras={"landmarks": table})}


def trained(run, tiny_faces):
    torch.manual_seed(0)
    classes = {"expression": tiny_faces.classes("expression")}
    method = build("oadn", run.settings, classes)
    facts = {"classes": classes, "main_selection": True, "images": run.images.model_dump()}
    return method, {"best_val": lambda: Checkpoint(method.own_state(), facts)}


def test_landmarks_of_rendered_faces_are_the_renderer_s_own(tiny_faces, tables):
    table = tables[3]
    stored = tiny_faces.store.table(["points68", "confidence68"])
    assert (np.stack(table["points68"].tolist()) == np.stack(stored["points68"].tolist())).all()
    assert set(np.concatenate(table["confidence68"].tolist())) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("settings", "columns"),
    [({}, 8), ({"attention_weight": 1.0}, 7), ({"attention_weight": 0.0}, 2)],
    ids=["both", "attention alone", "regions alone"],
)
def test_the_figure_shows_what_the_method_has(tiny_faces, tables, settings, columns):
    run = run_of(**settings)
    _, models = trained(run, tiny_faces)
    covered = tables[3].copy()
    first = covered["sample_id"] == tables[2]["sample_id"].iloc[-1]  # a tested face with everything covered
    covered.loc[first, "confidence68"] = pd.Series([np.zeros(68)], index=covered.index[first])
    figure = attention(run, models, named(*tables[:3], covered))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == columns
    assert titles[0] == "24 points"
    dots, crosses = (figure.axes[0].collections[i].get_offsets() for i in (0, 1))
    assert (len(dots), len(crosses)) == (0, 24)  # the least visible face stands first
    figure.canvas.draw()


def test_the_sheet_of_augmented_faces_takes_the_same_tables(tables):
    sheet = np.asarray(augmented(run_of(), named(*tables)))
    assert sheet.shape[2] == 3
    assert 20 < sheet.mean() < 235


def test_each_part_of_the_face_has_a_panel_of_its_own(tiny_faces, tables):
    run = run_of()
    _, models = trained(run, tiny_faces)
    figure = attention(run, models, named(*tables))
    panels = {axes.get_title(): axes.images[-1].get_array() for axes in figure.axes[:8] if axes.get_title()}
    maps = [np.asarray(panels[part]) for part in ("brows", "eyes", "nose", "mouth", "cheeks")]
    assert all(not np.allclose(one, other) for place, one in enumerate(maps) for other in maps[:place])


@pytest.mark.slow
def test_an_exported_model_takes_landmarks_beside_the_image_and_answers_as_the_method_does(tiny_faces, tables):
    run = run_of()
    method, models = trained(run, tiny_faces)
    network = classifier(restore(run, models["best_val"]()), run.images)
    faces = faces_for(sources_of(run, named(*tables)), "test", method.classes, run.images, 0)
    rgb = torch.stack([faces[0, i][0] for i in range(4)]).float() / 255
    points = torch.stack([faces[0, i][2]["landmarks"] for i in range(4)])
    shapes = [{0: torch.export.Dim.AUTO}, {0: torch.export.Dim.AUTO}]
    exported = torch.export.export(network, (rgb[:2], points[:2]), dynamic_shapes=shapes).module()
    with torch.no_grad():
        method.eval()
        expected = method((rgb - 0.5) / 0.5, {"landmarks": points}).logits["expression"].exp()
        torch.testing.assert_close(exported(rgb, points), expected)
        hidden = torch.cat([points[..., :2], torch.zeros(4, 68, 1)], dim=2)
        assert (exported(rgb, hidden) - expected).abs().max() > 1e-5
