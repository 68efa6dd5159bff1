"""What a newcomer gets from one command, at tiny sizes, through the real `kedro run`."""

import json
import sqlite3
import zipfile

import pandas as pd
import pytest

from tests.pipelines.conftest import ROOT, Project
from tests.pipelines.in_process import typed

pytestmark = pytest.mark.slow


def table(project: Project, path: str) -> pd.DataFrame:
    file = project.path / "data" / path
    return pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)


def test_the_results_table_is_printed_with_n_and_its_sampling_error(finished: Project) -> None:
    said = (finished.path / "first_run.txt").read_text()
    results = table(finished, "08_reporting/summary/results.csv")
    assert set(results["method"]) == {"baseline", "addl"}
    assert set(results["selection"]) == {"best_val", "last"}
    assert (results["n"] == 2 * 7).all()
    assert "standard error" in said
    assert "With one seed the standard error holds the error of drawing faces only" in said
    dfem = said.index(f"  {finished.slug('dfem')}: age ")
    assert said.index("prerequisites:") < dfem < said.index("standard error")  # what was asked for comes last


def test_every_dataset_is_a_file_and_has_its_record(finished: Project) -> None:
    data = finished.path / "data"
    for path in (
        finished.run_folder("06_models", "addl") / "selected",
        finished.run_folder("06_models", "addl") / "run.json",
        finished.run_folder("07_model_output", "addl") / "predictions.parquet",
        data / "03_primary/synthetic_fer/faces",
    ):
        assert path.exists()
        record = json.loads(path.with_name(f".{path.name}.made.json").read_text())
        assert len(record["content"]) == 64
    assert not list((data / "02_intermediate").glob(".work/*"))


def test_figures_of_addl_are_written(finished: Project) -> None:
    reporting = finished.run_folder("08_reporting", "addl")
    assert {"importance.png", "attention.png", "confusion.png", "grad_cam.png", "importance.csv", "results.csv"} <= {
        file.name for file in reporting.iterdir()
    }
    importance = pd.read_csv(reporting / "importance.csv")
    assert list(importance["factor"]) == ["gender", "age", "race", "identity", "illumination", "pose"]
    assert importance["mean"].between(0, 1).all()


def test_predictions_facts_and_card_carry_the_identity_of_their_run(finished: Project) -> None:
    slug, output = finished.slug("addl"), finished.run_folder("07_model_output", "addl")
    assert set(pd.read_parquet(output / "predictions.parquet")["run"]) == {slug}
    assert {fact["run"] for fact in json.loads((output / "facts.json").read_text())} == {slug}
    assert f"the run `{slug}`" in (finished.run_folder("08_reporting", "addl") / "model_card.md").read_text()


def test_compared_methods_say_where_they_look_on_the_same_faces(finished: Project) -> None:
    folders = [finished.run_folder("07_model_output", name) for name in ("baseline", "addl")]
    baseline, addl = (pd.read_parquet(folder / "grad_cam.parquet") for folder in folders)
    assert baseline["sample_id"].tolist() == addl["sample_id"].tolist()
    assert baseline["y_true"].is_unique
    assert (finished.path / "data/08_reporting/summary/grad_cam.png").is_file()


def test_compared_methods_show_their_features_of_the_same_faces_in_the_plane(finished: Project) -> None:
    embedding = table(finished, "08_reporting/summary/tsne.parquet")
    assert set(embedding["run"]) == {"Baseline", "ADDL"}
    assert (embedding.groupby("sample_id")["run"].nunique() == 2).all()
    assert (finished.path / "data/08_reporting/summary/tsne.png").is_file()


def test_all_factors_of_the_rendered_faces_are_known_aside(finished: Project) -> None:
    truths = table(finished, "03_primary/synthetic_fer/truths.parquet")
    rows = table(finished, "02_intermediate/synthetic_fer/rows.parquet")
    assert truths["sample_id"].tolist() == rows["sample_id"].tolist()
    assert truths[["gender", "age", "race", "identity", "illumination", "pose"]].notna().all(axis=None)


def test_the_disturbing_factors_never_enter_the_expression_set(finished: Project) -> None:
    rows = table(finished, "02_intermediate/synthetic_fer/rows.parquet")
    assert rows[["gender", "age", "race", "identity", "illumination", "pose"]].isna().all().all()
    assert rows["expression"].notna().all()


def test_mlflow_holds_parameters_curves_figures_and_the_model_of_each_run_within_the_command(
    finished: Project,
) -> None:
    with sqlite3.connect(finished.path / "mlflow.db") as database:
        runs = database.execute("select name, run_uuid, status from runs").fetchall()
        of = {name.partition("-s")[0]: (name, run_id) for name, run_id, _ in runs}
        (slug, addl), command = of["addl"], of["all"][1]
        keys = {key for (key,) in database.execute("select distinct key from metrics where run_uuid = ?", [addl])}
        steps = database.execute("select count(*) from metrics where key = 'addl/val/accuracy/expression'").fetchone()
        tags = dict(database.execute("select key, value from tags where run_uuid = ?", [addl]).fetchall())
        shared = dict(database.execute("select key, value from tags where run_uuid = ?", [command]).fetchall())
        parameters = dict(database.execute("select key, value from params where run_uuid = ?", [addl]).fetchall())
        of_data = dict(database.execute("select key, value from params where run_uuid = ?", [command]).fetchall())
        cards = dict(database.execute("select name, description from model_versions").fetchall())
        known = dict(database.execute("select name, run_id from model_versions").fetchall())
        (seconds,) = database.execute("select count(*) from metrics where key = 'wall_seconds'").fetchone()
    assert {name for name, *_ in runs} == {"all", *(finished.slug(name) for name in ("addl", "baseline", "dfem"))}
    assert {status for *_, status in runs} == {"FINISHED"}
    assert (slug, tags["slug"], tags["mlflow.parentRunId"]) == (finished.slug("addl"), slug, command)
    assert {"addl/train/main/attention_transfer", "addl/train/discriminator/total", "expression.accuracy"} <= keys
    assert (steps, seconds) == ((2,), 1)
    assert parameters["addl.settings.weights.information"] == "0.001"
    assert of_data["synthetic.pie.people"] == "3"
    assert {"git.commit", "openfer.version", "licence", "kedro.command"} <= set(shared)
    assert {"data_version", "initialisation", "licences_of_data"} <= set(tags)
    assert tags["licences_of_weights"].startswith("CC0-1.0 (dlib's author)")
    artifacts = {path.name for path in (finished.path / "mlartifacts").rglob("*")}
    assert {"MLmodel", "input_example.json"} <= artifacts
    models = list((finished.path / "mlartifacts").rglob("model.pt2"))
    assert len(models) == 3
    for model in models:
        with zipfile.ZipFile(model) as parts:
            (graph,) = (name for name in parts.namelist() if name.endswith("models/model.json"))
            assert str(ROOT).encode() not in parts.read(graph), "the model names folders of the machine that made it"
    assert (finished.path / "mlartifacts" / addl / "artifacts" / slug / "attention.png").is_file()
    assert (finished.path / "mlartifacts" / command / "artifacts/summary/results.csv").is_file()
    reports = finished.run_folder("08_reporting", "addl")
    card = json.loads((reports / "mlflow_model.json").read_text())
    assert card["model_uri"].startswith("models:/")
    assert card["run"] == slug
    assert {"addl", "baseline", "dfem"} == set(cards)
    assert known["addl"] == addl
    assert cards["addl"] == (reports / "model_card.md").read_text()
    assert "A facial expression is not an emotion" in cards["addl"]


def test_a_second_run_does_nothing_and_shows_the_same_table(finished: Project) -> None:
    said = typed(finished.path)
    assert "3 of 3 runs are there already: " in said
    assert "nodes were up to date, 0 ran" in said
    assert "standard error" in said


def test_only_what_depends_on_a_removed_result_runs_again(copy_of_finished: Project) -> None:
    (copy_of_finished.run_folder("07_model_output", "addl") / "predictions.parquet").unlink()
    said = copy_of_finished.run()
    addl, baseline = (f"{name}.{copy_of_finished.slug(name)}" for name in ("addl", "baseline"))
    assert f"running     {addl}.predict" in said
    assert f"running     {addl}.train" not in said
    assert f"running     {baseline}.predict" not in said


def test_a_truncated_model_is_one_clear_error_and_nothing_is_lost(copy_of_finished: Project) -> None:
    dfem = copy_of_finished.run_folder("06_models", "dfem")
    model = dfem / "selected/best_val.safetensors"
    model.write_bytes(model.read_bytes()[:-100])
    said = typed(copy_of_finished.path, "--pipelines", "addl", expect=1)
    assert f"06_models/dfem/{dfem.name}/selected has changed since openfer made it" in said
    assert "Traceback" not in said
    assert (copy_of_finished.run_folder("06_models", "addl") / "selected/best_val.safetensors").exists()
