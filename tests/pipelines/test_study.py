"""Studies: plans of all papers' tables, runs that are shared and never repeated, cells that fail, and the table."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pydantic import ValidationError

from openfer.errors import DataError, ParameterError
from openfer.io.atomic import sha256_of
from openfer.pipelines.asked_study import asked_study
from openfer.pipelines.in_use import choose
from openfer.pipelines.study.nodes import _wanted, run_cells, table
from openfer.pipelines.study_plan import StudyPlan, is_study, plan
from openfer.schemas import complete_rows, group_table
from openfer.tracking import _plain, flatten
from tests.pipelines.conftest import FIRST_CHECKPOINT, ROOT, Project

TABLES = [
    *(f"addl_table{number}" for number in (3, 4, 5, 6, 7, 14)),
    "addl_fig7",
    "diversified_table1",
    *(f"oadn_table{number}" for number in (1, 2, 3, 4, 5)),
    "oadn_fig7",
    *(f"sna_table{number}" for number in (6, 7, 8)),
    *(f"fdrl_eca_table{number}" for number in (1, 2)),
    "five_papers",
]
UNPUBLISHED = {"attributes", "backbone", "SNA without mask", "SNA"}
"""Rows that openfer adds to the papers', and those of SNA, which has no figure of RAF-DB."""

SIDE = 40
METHOD = {
    "datasets": ["a"],
    "seed": 0,
    "images": {"size": SIDE, "crop": SIDE},
    "training": {"device": "cpu", "workers": 0, "selections": ["best_val", "last"]},
    "settings": {"schedule": {"epochs": 1, "batch_size": 14, "learning_rate": 1e-3}},
}
PARAMETERS = {
    "baseline": METHOD | {"method": "baseline"},
    "addl": METHOD
    | {
        "method": "addl",
        "settings": METHOD["settings"] | {"factors": ["gender", "race", "identity"]},
    },  # the few faces' ages are one
    "dfem": METHOD | {"method": "dfem", "datasets": ["b"]},
    "tiny": {
        "title": "Tiny",
        "seeds": [0, 1],
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


def changed(**study):
    return PARAMETERS | {"tiny": PARAMETERS["tiny"] | study}


def planned(parameters=PARAMETERS):
    return StudyPlan.model_validate(plan("tiny", parameters))


@pytest.fixture(scope="module", params=["base", "paper"])
def parameters(request):
    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env=request.param) as session:
        yield dict(session.load_context().config_loader["parameters"])
    choose({})


@pytest.fixture(scope="module")
def data(tiny_faces):
    scenes = tiny_faces.scenes
    columns = ["sample_id", "partition", "expression", "gender", "race", "identity"]
    roles = ["train"] * 28 + ["val"] * 14 + ["test"] * 14
    split = pd.DataFrame({"sample_id": scenes["sample_id"], "fold": 0, "role": roles})
    groups = group_table({("challenge", "occlusion"): scenes["sample_id"].iloc[-5:]})
    found = {}
    for name in ("a", "b"):
        rows = complete_rows(
            scenes[columns].assign(dataset=name, subject=scenes["person"], path="x", licence="CC0-1.0")
        )
        of_set = {"rows": rows, "faces": tiny_faces.store, "split": split, "groups": groups}
        found |= {(name, part): value for part, value in of_set.items()}
    return found


def run(plan, folder, data):
    return run_cells(tuple(data), plan, folder, *data.values())


def tabled(plan, results, data):
    told = {key: value for key, value in data.items() if key[1] in ("rows", "groups")}
    return table(tuple(told), plan, *results, *told.values())


def test_every_table_of_the_papers_is_a_study_whose_runs_are_valid(parameters):
    studies = [name for name, value in parameters.items() if is_study(value)]
    assert {*TABLES, "first_study", "addl_disentangled"} <= set(studies)
    for name in studies:
        whole = StudyPlan.model_validate(plan(name, parameters))
        assert len(whole.cells) == len(whole.study.seeds) * len(whole.study.rows) * sum(
            len(column.folds) for column in whole.study.columns.values()
        )


def test_every_row_of_a_published_table_finds_its_figure(parameters):
    for name in TABLES:
        whole = StudyPlan.model_validate(plan(name, parameters))
        if "Fig." in whole.study.title:
            continue
        without = {want.row for want in _wanted(whole.study) if want.published is None}
        assert without <= UNPUBLISHED, name


@pytest.mark.parametrize("parameters", ["paper"], indirect=True)  # in base the tables have budgets of their own
def test_the_comparison_of_all_papers_is_of_the_runs_of_their_own_tables(parameters):
    together = StudyPlan.model_validate(plan("five_papers", parameters)).cells
    for row, study, own in (
        ("Baseline", "addl_table3", "Baseline"),
        ("ADDL", "addl_table3", "ADDL"),
        ("ESR + diversity", "diversified_table1", "ESR-9 + CBAM + spatial + channel"),
        ("MA-Net + diversity", "diversified_table1", "MA-Net + diversity"),
        ("OADN", "oadn_table1", "OADN"),
        ("FDRL-ECANet", "fdrl_eca_table2", "FDRL-ECANet (proposed)"),
    ):
        cells = StudyPlan.model_validate(plan(study, parameters)).cells
        assert together[f"{row}, RAF-DB, seed 0, fold 0"].planned == cells[f"{own}, RAF-DB, seed 0, fold 0"].planned, (
            row
        )


def test_rows_with_equal_runs_before_them_share_these():
    cells = planned().cells
    first, second = (cells[f"{row}, A, seed 0, fold 0"].planned for row in ("ADDL", "ADDL without adversary"))
    assert first.needs["dfem"] == second.needs["dfem"]
    assert first.run != second.run
    assert cells["ADDL, A, seed 1, fold 0"].planned.needs["dfem"].run.seed == 1


def test_what_a_method_is_asked_for_by_itself_is_no_part_of_a_studys_run():
    alone = PARAMETERS["baseline"] | {"tested_on": ["elsewhere"], "fresh": True}
    assert planned(PARAMETERS | {"baseline": alone}) == planned()


def test_who_a_run_starts_from_has_not_learned_from_the_faces_that_are_tested():
    folded = changed(columns={"A": {"datasets": ["a"], "folds": [0, 1]}})
    own = planned(folded | {"dfem": PARAMETERS["dfem"] | {"datasets": ["a"]}}).cells["ADDL, A, seed 0, fold 1"].planned
    other = planned(folded).cells["ADDL, A, seed 0, fold 1"].planned
    assert (own.run.fold, own.needs["dfem"].run.fold) == (1, 1)
    assert (other.run.fold, other.needs["dfem"].run.fold) == (1, 0)


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (
            {"runs": {"adl": {}}},
            r"tiny\.runs changes 'adl', of which there is no run here; the runs are of addl, base",
        ),
        (
            {"rows": {"x": {"method": "baseline", "changes": {"addl": {}}}, "y": {"method": "addl"}}},
            r"tiny\.rows\.x\.changes changes 'addl', of which there is no run here; the runs are of baseline",
        ),
        ({"runs": {"addl": {"datasets": ["b"], "seed": 3}}}, r"tiny\.runs\.addl has datasets, seed, which the study's"),
        ({"runs": {"dfem": {"fresh": True}}}, r"tiny\.runs\.dfem has fresh, which the study's seeds, columns and rows"),
        (
            {"columns": {"A": {"datasets": ["a"], "folds": [1, 1]}}},
            r"seeds and folds are numbers from 0 on, each once; they are \[1, 1\]",
        ),
        ({"rows": {"x": {"method": "adl"}}}, r"the study tiny: (.|\n)*method 'adl' does not exist"),
        ({"seeds": [0, 0]}, r"seeds and folds are numbers from 0 on, each once; they are \[0, 0\]"),
        ({"measures": ["acuracy"]}, r"the study tiny: (.|\n)*measures"),
        (
            {"columns": {"A": {"datasets": ["a"], "counts": {"by": "challenge"}}}},
            r"a subset is \{dataset: \.\.\.\}, or",
        ),
        ({"rows": {"x": {"method": "addl", "sweep": "T"}}}, "sweep names a parameter and at its value: give both"),
    ],
)
def test_a_mistake_in_a_study_is_one_error_that_names_it(study, words):
    with pytest.raises(ParameterError, match=words):
        plan("tiny", changed(**study))


def test_a_wrong_parameter_of_one_run_is_found_before_any_runs():
    wrong = changed(runs={"addl": {"settings": {"weights": {"adversrial": 1.0}}}})
    with pytest.raises(
        ValidationError, match=r"cells\.ADDL, A, seed 0, fold 0\.planned\.run\.settings\.weights\.adversrial"
    ):
        StudyPlan.model_validate(plan("tiny", wrong))


def test_a_study_that_nobody_describes_is_refused_with_the_nearest_name():
    try:
        with pytest.raises(ParameterError, match=r"study is 'tyny', which nobody describes; did you mean 'tiny'\?"):
            choose(PARAMETERS | {"study": "tyny"})
        assert choose(PARAMETERS | {"study": "tiny"})["study_plan"]["name"] == "tiny"
        assert asked_study().datasets == {"a": (), "b": ()}
        assert asked_study().methods == ("baseline", "addl", "dfem")
    finally:
        choose({})


def test_probes_ask_for_faces_of_which_every_factor_is_known():
    try:
        with pytest.raises(ParameterError, match=r"tiny\.probes is true, but nobody knows every factor of a;"):
            choose(changed(probes=True) | {"study": "tiny"})
    finally:
        choose({})


def test_mlflow_keeps_what_a_study_is_and_not_each_of_its_runs():
    kept = flatten(_plain(planned()))
    assert kept["study.title"] == "Tiny"
    assert not [name for name in kept if name.startswith("cells")]


def test_weights_that_are_not_there_stop_a_run_before_what_it_starts_from_is_trained(tmp_path, data):
    changes = {"addl": {"initialisation": {"backbone": "./nowhere.pth"}}}
    whole = planned(changed(seeds=[0], rows={"B": {"method": "baseline"}, "A": {"method": "addl", "changes": changes}}))
    cells, *_ = run(whole, tmp_path, data)
    assert list(cells["state"]) == ["done", "failed"]
    assert "nowhere.pth" in cells["error"].iloc[1]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_finished_run_is_never_run_again_and_the_table_has_all_rows(tmp_path, data, caplog):
    whole = planned(changed(seeds=[0]))
    with caplog.at_level("INFO"):
        results = run(whole, tmp_path, data)
    began = [record.message for record in caplog.records if record.message.startswith("study run")]
    assert len(began) == 4  # one DFEM for two rows
    assert len({path.name for path in tmp_path.iterdir()}) == 4
    caplog.clear()
    with caplog.at_level("INFO"):
        again = run(whole, tmp_path, data)
    assert not [record for record in caplog.records if record.message.startswith("study run")]
    pd.testing.assert_frame_equal(results[1], again[1])
    found, words, compared = tabled(whole, results, data)
    assert set(zip(compared["row"], compared["against"], compared["seeds"], strict=True)) == {
        ("ADDL", "Baseline", 1), ("ADDL without adversary", "Baseline", 1), ("ADDL without adversary", "ADDL", 1)
    }  # fmt: skip
    assert "- ADDL is " in words
    assert list(found["row"].unique()) == ["Baseline", "ADDL", "ADDL without adversary"]
    assert set(found["n"]) == {14}
    assert list(found["selection"].unique()) == ["best_val", "last"]
    right = results[1].query("row == 'ADDL' and selection == 'last'")
    ours = found.query("row == 'ADDL' and selection == 'last'")["ours"].item()
    assert ours == pytest.approx(100 * (right["y_true"] == right["y_pred"]).mean())
    assert "| ADDL | A | accuracy % |" in words
    assert found["difference"].isna().all()  # nobody has published a figure of these faces


def test_other_data_are_another_run(tmp_path, data):
    whole = planned(changed(seeds=[0], rows={"Baseline": {"method": "baseline"}}))
    run(whole, tmp_path, data)
    other = data | {("a", "rows"): data["a", "rows"].assign(expression="fear")}
    other["a", "rows"].loc[::2, "expression"] = "anger"
    run(whole, tmp_path, other)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cell_that_fails_is_reported_and_the_others_go_on_and_it_is_tried_again(tmp_path, data):
    broken = {key: value for key, value in data.items() if key != ("b", "split")}
    broken["b", "split"] = data["b", "split"].assign(fold=7)
    whole = planned(changed(seeds=[0]))
    results = run(whole, tmp_path, broken)
    assert list(results[0]["state"]) == ["done", "failed", "failed"]
    assert results[0]["error"].iloc[1].startswith("DataError: the split of b has no fold 0, its folds are 7")
    found, words, _ = tabled(whole, results, data)
    failed = found[found["row"] == "ADDL"].iloc[0]
    assert np.isnan(failed["ours"])
    assert failed["missing"].startswith("seed 0, fold 0: DataError")
    assert "has no fold 0" in words
    assert list(run(whole, tmp_path, data)[0]["state"]) == ["done"] * 3


def test_a_training_that_was_begun_with_other_settings_is_told_of(tmp_path, data, caplog):
    (tmp_path / "0123456789abcdef.work").mkdir()
    with caplog.at_level("INFO"):
        run(planned(changed(seeds=[0], rows={"Baseline": {"method": "baseline"}})), tmp_path, data)
    assert f"1 trainings were begun with other settings or code and lie in {tmp_path}/*.work" in caplog.text


def test_a_row_without_a_task_fails_alone_and_says_why(tmp_path, data):
    images = {"size": 48, "crop": 48, "mean": 0.0, "std": 1.0}
    schedule = METHOD["settings"]["schedule"]
    autoencoder = METHOD | {"method": "sna_autoencoder", "images": images, "training": {"device": "cpu", "workers": 0}}
    autoencoder |= {"settings": {"side": 48, "decoder": "symmetric", "schedule": schedule}}
    autoencoder["training"] = autoencoder["training"] | {"selections": ["last"]}
    rows = {"Baseline": {"method": "baseline"}, "AE": {"method": "sna_autoencoder"}}
    whole = planned(changed(seeds=[0], rows=rows) | {"sna_autoencoder": autoencoder})
    cells, answers, _ = run(whole, tmp_path, data)
    assert list(cells["state"]) == ["done", "failed"]
    assert "has no predictions, as its method learns no task" in cells["error"].iloc[1]
    assert set(answers["row"]) == {"Baseline"}


def test_a_study_of_which_nothing_could_be_run_is_an_error(tmp_path, data):
    broken = data | {("a", "split"): data["a", "split"].assign(fold=3)}
    whole = planned(changed(seeds=[0], rows={"Baseline": {"method": "baseline"}}))
    with pytest.raises(
        DataError, match="all 1 cells of tiny failed; the first: DataError: the split of a has no fold 0"
    ):
        run(whole, tmp_path, broken)


def test_a_column_may_count_a_group_of_the_tested_faces_only(tmp_path, data):
    column = {"datasets": ["a"], "counts": {"by": "challenge", "group": "occlusion"}}
    rows = {"Baseline": {"method": "baseline"}}
    whole = planned(changed(seeds=[0], rows=rows, columns={"A": {"datasets": ["a"]}, "Occlusion": column}))
    results = run(whole, tmp_path, data)
    assert len(list(tmp_path.iterdir())) == 1
    found, *_ = tabled(whole, results, data)
    assert found.groupby("column")["n"].first().to_dict() == {"A": 14, "Occlusion": 5}
    nobody = planned(
        changed(seeds=[0], rows=rows, columns={"A": column | {"counts": {"by": "challenge", "group": "x"}}})
    )
    with pytest.raises(DataError, match=r"no tested face is in .*'group': 'x'.*there are challenge: occlusion"):
        tabled(nobody, run(nobody, tmp_path, data), data)


@pytest.mark.slow
def test_a_killed_study_goes_on_within_its_cell_and_ends_as_an_uninterrupted_one(copy_of_finished: Project) -> None:
    """And each of its runs is an MLflow run within that of the study."""
    (copy_of_finished.path / "conf/local/parameters/study.yml").write_text(
        "study: two\ntwo:\n  title: Two\n  seeds: [0]\n  columns: {F: {datasets: [synthetic_fer]}}\n"
        "  rows: {Baseline: {method: baseline}, ADDL: {method: addl}}\n"
    )
    store = copy_of_finished.path / "data/06_models/studies"
    copy_of_finished.run("--pipelines", "study")
    models = {path.name: sha256_of(path / "models") for path in store.iterdir()}
    shutil.rmtree(store)

    copy_of_finished.killed_at(FIRST_CHECKPOINT, "--pipelines", "study")
    done = {path.name for path in store.iterdir() if not path.suffix}
    assert done < set(models)

    said = copy_of_finished.run("--pipelines", "study")
    assert re.search(r"continues at stage \w+, epoch 2 of 2", said)
    assert len(re.findall("study run ", said)) == len(models) - len(done)
    assert {path.name: sha256_of(path / "models") for path in store.iterdir()} == models
    assert "As a picture:" in said
    _check_nested(copy_of_finished.path, len(models))


def _check_nested(project: Path, count: int) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    studies = [run.info.run_id for run in runs if run.data.tags.get("kedro.pipelines") == "study"]
    nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") in studies]
    assert len(studies) == 3
    assert len([run for run in nested if run.info.status == "FINISHED"]) >= 2 * count - 1
    assert all(run.info.run_name.startswith("two: ") for run in nested)
