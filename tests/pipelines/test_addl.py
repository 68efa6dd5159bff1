"""ADDL's own figures, also of rows that learn no importance weights."""

import pandas as pd
import pytest
import torch

from openfer.io.checkpoint import Checkpoint
from openfer.methods.registry import build
from openfer.pipelines.figures.addl import attention, importance, importance_figure
from openfer.pipelines.sources import Source
from openfer.runs.settings import RunSettings


def trained(tiny_faces, variant):
    """Return a run of a row, and its models: fresh weights, as if they had been trained."""
    run = RunSettings.model_validate(
        {
            "method": "addl",
            "variant": variant,
            "datasets": ["tiny"],
            "seed": 0,
            "images": {"crop": 64},
            "training": {"device": "cpu", "precision": "float32", "workers": 0},
            "settings": {},
        }
    )
    torch.manual_seed(0)
    method = build("addl", run.settings, {"expression": tiny_faces.classes("expression")})
    checkpoint = Checkpoint(
        method.own_state(), {"main_selection": True, "selection": "last", "classes": method.classes}
    )
    return run, {"last": lambda: checkpoint}


@pytest.mark.parametrize(
    ("variant", "factors", "mean", "learned"),
    [
        ("addl", ["gender", "age", "race", "identity", "illumination", "pose"], None, True),
        ("ddl_ga", ["gender", "age"], 0.5, False),
        ("addl_mi_no_dfem", [], None, False),
    ],
)
def test_importance_weights_of_a_row_are_those_that_it_fuses_by_and_say_whether_they_were_learned(
    tiny_faces, tmp_path, variant, factors, mean, learned
):
    rows = tiny_faces.scenes.assign(licence="none")
    split = rows[["sample_id"]].assign(fold=0, role=["train"] * 28 + ["val"] * 7 + ["test"] * 21)
    sources = {"tiny": Source(rows, tiny_faces.store, split)}
    run, models = trained(tiny_faces, variant)
    table = importance(run, models, sources)
    assert list(table.columns) == ["factor", "mean", "std", "n", "learned"]
    assert list(table["factor"]) == factors
    assert (table["n"] == 28).all()
    assert (table["learned"] == learned).all()
    if mean is not None:
        assert table["mean"].tolist() == pytest.approx([mean] * len(factors))
        assert table["std"].tolist() == [0] * len(factors)
    table.to_csv(tmp_path / "importance.csv", index=False)  # as the catalog keeps it
    picture = importance_figure(pd.read_csv(tmp_path / "importance.csv"))
    assert ("mean over n = 28 images" in picture.get_suptitle()) == learned
    picture.savefig(tmp_path / "importance.png", dpi=40)
    assert attention(run, models, sources).axes
