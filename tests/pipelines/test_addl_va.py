"""Valence and arousal of a set that rates its photographs: from AffectNet's files to the scores."""

import csv
from pathlib import Path

import pandas as pd
import pytest
import torch

from openfer.io.checkpoint import Checkpoint
from openfer.labels import AFFECTNET
from openfer.methods.registry import build
from openfer.pipelines.evaluation_nodes import evaluate
from openfer.pipelines.predicting import predict
from openfer.pipelines.sources import Source, classes_of, sources_of
from openfer.pipelines.train import train
from openfer.runs.settings import RunSettings
from openfer_faces.synthetic.circumplex import CIRCUMPLEX
from tests.methods.networks import build_dfem, checkpoint_of
from tests.pipelines.in_process import Workshop
from tests.pipelines.raw_folders import RAW, Pictures

NAME = "affectnet"
UNCERTAIN = 9


def rate(root: Path) -> None:
    """Let valence and arousal follow the expression; the first tested photograph is rated and has no expression."""
    for name in ("training", "validation"):
        path = root / f"Manually_Annotated_file_lists/{name}.csv"
        with path.open(newline="") as file:
            lines = list(csv.reader(file))
        for number, line in enumerate(lines):
            if line[0].endswith(".jpg"):
                place = CIRCUMPLEX.get(AFFECTNET[int(line[6])] or "", (-0.5, 0.25))
                line[7:] = [str(value) for value in place]
            if name == "validation" and number == 1:
                line[6] = str(UNCERTAIN)
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(lines)


@pytest.fixture
def tables(tmp_path, tiny_faces):
    workshop, raw = Workshop.new(tmp_path / "project"), RAW[NAME]
    raw.build(workshop.raw(NAME), Pictures(tiny_faces))
    rate(workshop.raw(NAME))
    options = raw.parameters.get("options", {}) | {"unlabelled": "keep"}
    protocol = {"validation_share": 0.3, "task": "valence"}
    workshop.describe(NAME, **(raw.parameters | {"options": options, "protocol": protocol}))
    workshop.run("ingest", NAME)
    return workshop.rows(NAME), workshop.faces(NAME), workshop.split(NAME)


def asked(**settings) -> RunSettings:
    schedule = {"epochs": 2, "batch_size": 8, "learning_rate": 1e-4}
    common = {"method": "addl_va", "datasets": [NAME], "seed": 0, "images": {"crop": 64, "flip": False}}
    return RunSettings.model_validate(common | {"settings": {"schedule": schedule}} | settings)


def trained(method) -> dict[str, object]:
    """A model of these weights, as the run of another dataset leaves it behind."""
    facts = {"main_selection": True, "selection": "best_val", "images": {"crop": 64}, "datasets": ["other"], "fold": 0}
    own = checkpoint_of(method)
    return {"best_val": lambda: Checkpoint(own.tensors, own.facts | facts | {"data_version": "0a1b2c3d4e5f"})}


@pytest.mark.slow
def test_affectnet_is_learned_from_its_files_and_scored_on_every_rated_photograph(tables, tmp_path):
    run, sources = asked(), {NAME: Source(*tables)}
    classes = classes_of(sources_of(run, sources), ("expression",))
    dfem = build_dfem()
    torch.manual_seed(0)
    before = build("addl", {}, classes, {"dfem": checkpoint_of(dfem)})
    states, history, about = train(run, tmp_path / "work", sources, {"dfem": trained(dfem), "addl": trained(before)})
    assert about["initialisation"] == "addl (other 0a1b2c3d4e5f, best_val)"
    validation = history[history["split"] == "val"]
    assert set(validation["name"]) == {
        "accuracy/expression",
        *(f"{kind}/{name}" for kind in ("ccc", "rmse") for name in ("valence", "arousal")),
    }
    agreement = validation[validation["name"].str.startswith("ccc/")].groupby("epoch")["value"].mean()
    assert states["best_val"].facts["epoch"] == agreement.idxmax()
    assert states["best_val"].facts["validation"] == pytest.approx(agreement.max())

    models = {name: lambda state=state: state for name, state in states.items()}
    predictions, features, facts = predict(run, models, sources)
    main = predictions[predictions["selection"] == "best_val"]
    tested = tables[0].set_index("sample_id").loc[main["sample_id"]]
    assert len(main) == (tables[2]["role"] == "test").sum() == 8
    assert main["valence_true"].tolist() == pytest.approx(tested["valence"].tolist())
    assert main["y_true"].isna().sum() == 1
    assert len(features) == 7

    results = evaluate(predictions, facts)["results_table"]
    assert (results["n"] == 7).all()
    assert (results[["valence_n", "arousal_n"]] == 8).all(axis=None)
    assert results[["valence_ccc", "arousal_ccc"]].abs().le(1).all(axis=None)
    assert pd.notna(results["valence_rmse"]).all()


def test_a_backbone_from_elsewhere_is_refused_where_a_trained_addl_goes_on():
    with pytest.raises(ValueError, match=r"addl_va starts from the weights of addl; set it to none, or addl\.initial"):
        asked(initialisation={"backbone": "weights.pth"})
