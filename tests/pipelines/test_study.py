"""Studies that run: shared and finished runs, cells that fail, a kill in the middle, and the table."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer.errors import CheckpointError, DataError, ParameterError, RunError
from openfer.io.atomic import sha256_of
from openfer.pipelines.show import show
from openfer.pipelines.study.pipeline import study_pipeline
from openfer.runs.project import plan
from openfer.schemas import PROBES
from tests.pipelines.conftest import FIRST_CHECKPOINT, Project
from tests.pipelines.plans import begin
from tests.pipelines.tiny_project import METHOD, ROLES, TinyProject

PARAMETERS = {
    "baseline": METHOD | {"method": "baseline"},
    "addl": METHOD
    | {
        "method": "addl",
        "settings": METHOD["settings"] | {"factors": ["gender", "race", "identity"]},
    },  # the few faces' ages are one
    "dfem": METHOD | {"method": "dfem", "datasets": ["b"]},
    "study": "tiny",
    "tiny": {
        "title": "Tiny",
        "seeds": [0],
        "columns": {"A": {"datasets": ["a"]}},
        "rows": {
            "Baseline": {"method": "baseline"},
            "ADDL": {"method": "addl"},
            "ADDL without adversary": {
                "method": "addl",
                "changes": {"addl": {"settings": {"weights": {"adversarial": 0.0}}}},
            },
        },
    },
}
BASELINE = {"Baseline": {"method": "baseline"}}


ONE_SELECTION = METHOD["training"] | {"selections": ["best_val"]}
QUICK = PARAMETERS | {name: PARAMETERS[name] | {"training": ONE_SELECTION} for name in ("baseline", "addl", "dfem")}
"""The same with half as many checkpoints, for studies that are trained anew."""


def changed(parameters=PARAMETERS, **study):
    return parameters | {"tiny": parameters["tiny"] | study}


def trained(ran):
    """Return the methods of the runs that trained."""
    return [name.split(".")[0] for name in ran if name.endswith(".train")]


def slugs(parameters, method):
    return {slug for slug, run in plan(parameters).runs.items() if run.method == method}


@pytest.fixture
def project(tmp_path, tiny_faces):
    """Return a project with two datasets of the same faces."""
    made = TinyProject(tmp_path / "data")
    for name in ("a", "b"):
        made.bring(name, tiny_faces)
    return made


@pytest.fixture(scope="module")
def finished_study(tmp_path_factory, tiny_faces):
    """Return a project in which the study has run once, and the nodes that ran; tests must leave it as it is."""
    made = TinyProject(tmp_path_factory.mktemp("study") / "data")
    for name in ("a", "b"):
        made.bring(name, tiny_faces)
    return made, made.study(PARAMETERS)


@pytest.fixture
def after_study(finished_study, tmp_path):
    """Return a copy of that project which a test may spoil."""
    shutil.copytree(finished_study[0].root, tmp_path / "data")
    return TinyProject(tmp_path / "data")


def test_every_run_is_made_once_and_the_table_has_all_rows(finished_study):
    project, ran = finished_study
    assert sorted(trained(ran)) == ["addl", "addl", "baseline", "dfem"]  # one DFEM for two rows
    found, compared = project.table("tiny", "table"), project.table("tiny", "comparison")
    assert set(zip(compared["first"], compared["second"], compared["seeds"], strict=True)) == {
        ("ADDL", "Baseline", 1), ("ADDL without adversary", "Baseline", 1), ("ADDL without adversary", "ADDL", 1)
    }  # fmt: skip
    words = project.words("tiny")
    assert "- ADDL is " in words
    assert list(found["row"].unique()) == ["Baseline", "ADDL", "ADDL without adversary"]
    assert set(found["n"]) == {14}
    assert list(found["selection"].unique()) == ["best_val", "last"]
    cells = project.table("tiny", "cells").set_index("row")
    answers = project.load(f"{cells.loc['ADDL', 'run']}_predictions").query("selection == 'last'")
    ours = found.query("row == 'ADDL' and selection == 'last'")["ours"].item()
    assert ours == pytest.approx(100 * (answers["y_true"] == answers["y_pred"]).mean())
    assert "| ADDL | A | accuracy % |" in words
    assert found["difference"].isna().all()  # nobody has published a figure of these faces


def test_the_cells_name_their_runs_and_the_runs_know_their_prerequisites(finished_study):
    project, _ = finished_study
    cells = project.table("tiny", "cells")
    assert list(cells["state"]) == ["done"] * 3
    records = [project.load(f"{slug}_run").record for slug in cells["run"]]
    assert [record.slug for record in records] == list(cells["run"])
    assert records[1].prerequisites == records[2].prerequisites == {"dfem": min(slugs(PARAMETERS, "dfem"))}
    assert list(cells["seconds"]) == pytest.approx([record.seconds for record in records])


def test_a_finished_study_does_nothing(finished_study):
    assert finished_study[0].study(PARAMETERS) == []


def test_the_table_of_a_study_is_shown_last(finished_study, capsys):
    project, asked = finished_study[0], plan(PARAMETERS)
    show(study_pipeline(asked.study, asked.datasets), project.catalog(asked))
    said = capsys.readouterr().out
    (dfem,) = slugs(PARAMETERS, "dfem")
    assert said.index("prerequisites:") < said.index(dfem) < said.index("Tiny") < said.index("As a picture: ")
    assert said.count("ADDL without adversary") == 1


def test_a_study_without_its_picture_says_nothing_of_one(finished_study, capsys):
    project, asked = finished_study[0], plan(PARAMETERS)
    whole = study_pipeline(asked.study, asked.datasets)
    show(whole.to_outputs("studies.tiny.table_table"), project.catalog(asked))
    said = capsys.readouterr().out
    assert "ADDL without adversary" in said
    assert "As a picture" not in said


def test_a_methods_own_pipeline_and_a_study_find_each_others_runs(project):
    assert trained(project.method("baseline", QUICK)) == ["baseline"]
    ran = project.study(changed(QUICK, rows=BASELINE))
    assert not [name for name in ran if name.startswith("baseline.")]
    assert set(ran) == {"a.groups", "studies.tiny.table", "studies.tiny.figure"}
    more = QUICK | {"baseline": QUICK["baseline"] | {"seeds": 2}}
    assert trained(project.method("baseline", more)) == ["baseline"]  # seed 1; the study has used seed 0
    ran = project.study(changed(QUICK, rows=BASELINE, seeds=[0, 1]))
    assert not [name for name in ran if name.startswith("baseline.")]
    assert set(project.table("tiny", "table")["seeds"]) == {2}


def test_a_changed_row_is_another_run_and_leaves_the_others(after_study):
    rows = PARAMETERS["tiny"]["rows"] | {"Baseline": {"method": "baseline", "variant": "baseline_mat"}}
    ran = after_study.study(changed(rows=rows))
    assert trained(ran) == ["baseline"]
    assert len(list((after_study.root / "06_models/baseline").iterdir())) == 2


def test_other_data_under_the_same_name_make_a_run_stale(after_study):
    rows = after_study.load("a_rows@table").assign(expression="fear")
    rows.loc[::2, "expression"] = "anger"
    after_study.save("a_rows@table", rows)
    assert trained(after_study.study(changed(rows=BASELINE))) == ["baseline"]
    assert len(list((after_study.root / "06_models/baseline").iterdir())) == 1


def test_weights_that_are_not_there_stop_a_study_before_anything_runs(project):
    changes = {"addl": {"initialisation": {"backbone": "./nowhere.pth"}}}
    asked = plan(changed(rows=BASELINE | {"A": {"method": "addl", "changes": changes}}))
    pipeline = study_pipeline(asked.study, asked.datasets)
    with pytest.raises(CheckpointError, match=r"nowhere\.pth"):
        begin(pipeline, project.catalog(asked), asked)


def test_a_cell_that_fails_is_reported_and_the_others_go_on_and_it_is_tried_again(project):
    split = project.load("b_split")
    project.save("b_split", split.assign(fold=7))
    with pytest.raises(DataError, match="the split of b has no fold 0, its folds are 7"):
        project.study(QUICK)
    cells = project.table("tiny", "cells")
    assert list(cells["state"]) == ["done", "failed", "failed"]
    (dfem,) = slugs(QUICK, "dfem")
    assert cells["error"].iloc[1].startswith(f"{dfem} failed: DataError: the split of b has no fold 0, its folds are 7")
    found, words = project.table("tiny", "table"), project.words("tiny")
    failed = found[found["row"] == "ADDL"].iloc[0]
    assert np.isnan(failed["ours"])
    assert failed["missing"].startswith("seed 0, fold 0: ")
    assert "DataError: the split of b has no fold 0" in failed["missing"]
    assert "has no fold 0" in words
    done = found[found["row"] == "Baseline"]
    assert (done["ours"].notna() & done["missing"].isna()).all()
    with pytest.raises(DataError, match="the split of b has no fold 0"):
        project.study(QUICK)  # it is tried again
    project.save("b_split", split)
    assert trained(project.study(QUICK)) == ["dfem", "addl", "addl"]
    assert list(project.table("tiny", "cells")["state"]) == ["done"] * 3
    assert "has no fold 0" not in project.words("tiny")


def test_a_column_starts_from_the_weights_of_the_same_row_on_another_column(project):
    start = {"baseline": {"initialisation": {"column": "A"}}}
    columns = {"A": {"datasets": ["a"]}, "B": {"datasets": ["b"], "changes": start}}
    project.study(changed(QUICK, rows=BASELINE, columns=columns))
    cells = project.table("tiny", "cells").set_index("column")
    first, second = (project.load(f"{cells.loc[name, 'run']}_run") for name in "AB")
    assert second.record.prerequisites == {"baseline": first.name}
    (facts, *_) = second.facts
    assert re.match(r"\d+ of \d+ tensors from baseline \(a [0-9a-f]{12}, best_val\)", facts["initialisation"])
    about = project.load(f"{cells.loc['B', 'run']}_run").record.settings["initialisation"]
    assert about["column"] == "A"


def test_fine_tuning_without_anything_to_fine_tune_is_refused_before_anything_runs(project):
    growth = {"fine_tuning": True}
    esr = METHOD | {"method": "esr", "settings": METHOD["settings"] | {"branches": 2, "growth": growth}}
    asked = plan(changed(rows={"ESR": {"method": "esr"}}) | {"esr": esr})
    pipeline = study_pipeline(asked.study, asked.datasets)
    with pytest.raises(
        ParameterError, match=r"esr fine-tunes with these settings, but esr\.initialisation\.backbone is"
    ):
        begin(pipeline, project.catalog(asked), asked)


def test_a_fold_for_which_a_copy_has_nobody_leaves_the_mean_of_the_others(project):
    split = project.load("a_split")
    roles = split["role"].iloc[::-1].to_numpy()  # other people test
    project.save("a_split", pd.concat([split, split.assign(fold=2, role=roles)], ignore_index=True))
    folded = changed(QUICK, rows=BASELINE, columns={"A": {"datasets": ["a"], "folds": [0, 1, 2]}})
    with pytest.raises(DataError, match="the split of a has no fold 1, its folds are 0, 2"):
        project.study(folded)
    line = project.table("tiny", "table").iloc[0]
    assert line["folds"] == 2
    assert np.isfinite(line["ours"])
    assert line["missing"].startswith("mean of 2 of 3 folds; seed 0, fold 1: ")
    assert "mean of 2 of 3 folds" in project.words("tiny")


def test_a_row_without_a_task_fails_alone_and_says_why(project):
    images = {"size": 48, "crop": 48, "mean": 0.0, "std": 1.0}
    schedule = METHOD["settings"]["schedule"]
    autoencoder = METHOD | {"method": "sna_autoencoder", "images": images, "training": {"device": "cpu", "workers": 0}}
    autoencoder |= {"settings": {"side": 48, "decoder": "symmetric", "schedule": schedule}}
    autoencoder["training"] = autoencoder["training"] | {"selections": ["last"]}
    rows = BASELINE | {"AE": {"method": "sna_autoencoder"}}
    project.study(changed(rows=rows) | {"sna_autoencoder": autoencoder})
    cells, found = project.table("tiny", "cells"), project.table("tiny", "table")
    assert list(cells["state"]) == ["done", "failed"]
    assert "the method learns no task and predicts nothing" in cells["error"].iloc[1]
    assert set(found.loc[found["ours"].notna(), "row"]) == {"Baseline"}
    assert "learns no task" in found.loc[found["row"] == "AE", "missing"].iloc[0]


def test_a_study_of_which_nothing_could_be_run_is_an_error(project):
    project.save("a_split", project.load("a_split").assign(fold=3))
    words = "3 runs failed .*all 2 runs of tiny failed; the first: DataError: the split of a has no fold 0"
    with pytest.raises(RunError, match=words):
        project.study(changed(rows=BASELINE, seeds=[0, 1]))
    assert not (project.root / "08_reporting/studies").exists()


def test_a_column_may_count_a_group_of_the_tested_faces_only(after_study):
    column = {"datasets": ["a"], "counts": {"by": "challenge", "group": "occlusion"}}
    ran = after_study.study(changed(rows=BASELINE, columns={"A": {"datasets": ["a"]}, "Occlusion": column}))
    assert ran == ["studies.tiny.columns", "studies.tiny.table", "studies.tiny.figure"]
    assert after_study.table("tiny", "columns")["n"].tolist() == [5]
    found = after_study.table("tiny", "table")
    assert found.groupby("column")["n"].first().to_dict() == {"A": 14, "Occlusion": 5}
    absent = column | {"counts": {"by": "challenge", "group": "x"}}
    with pytest.raises(DataError, match=r"no tested face is in .*'group': 'x'.*there are challenge: occlusion"):
        after_study.study(changed(rows=BASELINE, columns={"A": absent}, seeds=[5]))
    assert not list((after_study.root / "06_models/baseline").glob("baseline-s5-*"))  # refused before a run trained


@pytest.mark.slow
def test_features_are_probed_and_laid_out_beside_the_table(after_study, tiny_faces):
    """Only rendered faces have truths; their tables come from elsewhere here, as these of any other set."""
    from openfer_faces.synthetic.truths import truths

    name = "synthetic_fer"
    after_study.bring(name, tiny_faces)
    after_study.save(f"{name}_truths", truths(name, tiny_faces.scenes))
    after_study.save(f"{name}_groups", after_study.load("a_groups"))
    rows = BASELINE | {"ADDL": {"method": "addl"}}
    asked = plan(changed(rows=rows, columns={"F": {"datasets": [name]}}, probes=True, embedding=True))
    pipeline = study_pipeline(asked.study, asked.datasets)
    own = [node.name for node in pipeline.nodes if node.namespace == "studies.tiny"]
    brought = [node for node in pipeline.to_nodes(*own).nodes if node.namespace != name]
    after_study.run(type(pipeline)(brought), asked)
    probes = after_study.table("tiny", "probes")
    assert list(probes["row"].unique()) == ["Baseline", "ADDL"]
    for (_, _), one in probes.groupby(["row", "column"]):
        PROBES.validate(one.drop(columns=["row", "column"]))
    independence = after_study.table("tiny", "independence")
    assert set(independence["row"]) == {"ADDL"}  # a baseline has one feature
    plane = pd.read_parquet(after_study.root / "08_reporting/studies/tiny/tsne.parquet")
    assert len(plane) == 2 * ROLES.count("test")
    assert (after_study.root / "08_reporting/studies/tiny/tsne.png").is_file()
    assert after_study.run(type(pipeline)(brought), asked) == []


@pytest.mark.slow
def test_a_killed_study_goes_on_within_its_cell_and_ends_as_an_uninterrupted_one(copy_of_finished: Project) -> None:
    """And each of its runs is an MLflow run of its name within that of the study."""
    (copy_of_finished.path / "conf/local/parameters/study.yml").write_text(
        "study: two\ntwo:\n  title: Two\n  seeds: [3, 4]\n  columns: {F: {datasets: [synthetic_fer]}}\n"
        "  rows: {Baseline: {method: baseline}}\n"
    )
    models = copy_of_finished.path / "data/06_models"
    copy_of_finished.run("--pipelines", "study", "--tags", "trains")
    expected = hashes(models)
    assert len({path.split("/")[1] for path in expected}) == 2
    for folder in list(models.glob("*/*-s[34]-*")):
        shutil.rmtree(folder)

    to_its_picture = ("--pipelines", "study", "--to-nodes", "studies.two.figure")  # without pictures of the runs
    copy_of_finished.killed_at(FIRST_CHECKPOINT, *to_its_picture)
    done = {path.split("/")[1] for path in hashes(models)}
    assert len(done) < 2

    said = copy_of_finished.run(*to_its_picture)
    assert re.search(r"continues at stage \w+, epoch 2 of 2", said)
    assert len(re.findall(r"running +\S+\.train", said)) == 2 - len(done)
    assert hashes(models) == expected
    assert "As a picture:" in said
    _check_nested(copy_of_finished.path, {path.split("/")[1] for path in expected})


def hashes(models: Path) -> dict[str, str]:
    """Return the hash of each checkpoint of the study's runs, whose seeds no other run has."""
    files = models.glob("*/*-s[34]-*/selected/*.safetensors")
    return {str(file.relative_to(models)): sha256_of(file) for file in files}


def _check_nested(project: Path, slugs: set[str]) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    studies = [run.info.run_id for run in runs if run.data.tags.get("kedro.pipelines") == "study"]
    nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") in studies]
    assert len(studies) == 3
    assert {run.info.run_name for run in nested} == slugs
    complete = [run for run in nested if run.info.status == "FINISHED"]
    assert {run.info.run_name for run in complete} == slugs
    assert all(run.data.tags["slug"] == run.info.run_name for run in nested)
