"""Recipes: what a method changes on a dataset follows the run's own dataset, below all that a user sets."""

import pytest

from openfer.errors import ParameterError
from openfer.runs.recipes import with_overrides
from tests.pipelines.plans import project_plan

PAPER_SCHEDULES = {"ck_plus": (8, "all"), "affectnet": (16, "oversampled"), "raf_db": (16, "all")}


def schedule_of(run):
    return run.settings.settings.schedule


@pytest.mark.parametrize("dataset", PAPER_SCHEDULES)
def test_the_paper_s_recipe_follows_the_datasets_of_the_run(dataset):
    (by_list,) = project_plan("paper", addl={"datasets": [dataset]}).requested["addl"]
    (by_word,) = project_plan("paper", dataset=dataset).requested["addl"]
    assert by_list.slug == by_word.slug
    schedule = schedule_of(by_list)
    assert (schedule.batch_size, schedule.sampling.kind) == PAPER_SCHEDULES[dataset]


def test_a_list_of_datasets_goes_before_the_word():
    (run,) = project_plan("paper", dataset="raf_db", addl={"datasets": ["affectnet"]}).requested["addl"]
    assert schedule_of(run).sampling.kind == "oversampled"
    assert run.settings.leave_out == ("contempt",)


def test_a_user_s_own_value_goes_before_a_recipe():
    changes = {"baseline": {"settings": {"schedule": {"batch_size": 4}}}}
    runs = project_plan("paper", dataset="mmi", **changes).requested
    assert schedule_of(runs["baseline"][0]).batch_size == 4
    assert schedule_of(runs["addl"][0]).batch_size == 8


def test_a_user_s_recipe_goes_before_the_user_s_own_value_for_all_datasets():
    file = {"baseline": {"batch": 4, "by_dataset": {"mmi": {"batch": 2}}}}
    given = {"baseline": {"batch": 4, "by_dataset": {"mmi": {"batch": 2}, "sfew": {"batch": 8}}}}
    assert with_overrides(given, file)["baseline"]["by_dataset"] == {"mmi": {"batch": 2}, "sfew": {"batch": 4}}
    typed = {"baseline": {"batch": 3}}
    assert with_overrides(given, file, typed)["baseline"]["by_dataset"]["mmi"] == {"batch": 3}


def test_all_stages_of_sna_learn_from_the_dataset_of_the_last_one():
    (run,) = project_plan("paper", sna={"datasets": ["ck_plus"]}).requested["sna"]
    stages = {part.method: part.settings for part in run.chain()}
    assert set(stages) == {"two_scale", "sna_autoencoder", "sna_generator", "sna"}
    assert {settings.datasets for settings in stages.values()} == {("ck_plus",)}
    assert {settings.leave_out for settings in stages.values()} == {("contempt",)}
    assert stages["two_scale"].settings.schedule.batch_size == stages["sna"].settings.schedule.batch_size == 60


def test_a_recipe_may_name_the_datasets_of_a_stage():
    (run,) = project_plan("paper", dataset="ck_plus_stability").requested["sna"]
    stages = {part.method: part.settings.datasets for part in run.chain()}
    assert stages["sna"] == stages["two_scale"] == ("ck_plus_stability",)
    assert stages["sna_autoencoder"] == stages["sna_generator"] == ("ck_plus_frames",)
    (alone,) = project_plan("paper", dataset="ck_plus_stability").requested["sna_autoencoder"]
    assert alone.slug == run.prerequisites["sna_generator"].prerequisites["sna_autoencoder"].slug


@pytest.mark.parametrize("study", ["first_study", "addl_disentangled"])
def test_a_study_of_rendered_faces_needs_no_published_dataset(study):
    planned = project_plan("paper", study=study).study
    assert planned is not None
    used = {name for run in planned.runs.values() for part in run.chain() for name in part.settings.datasets}
    assert used == {"synthetic_fer", "synthetic_pie", "synthetic_raf"}


def test_a_study_s_column_takes_the_recipe_of_its_dataset():
    study = {
        "title": "Two datasets",
        "seeds": [0],
        "columns": {"MMI": {"datasets": ["mmi"]}, "RAF-DB": {"datasets": ["raf_db"]}},
        "rows": {"Baseline": {"method": "baseline"}},
    }
    planned = project_plan("paper", study="mine", mine=study).study
    assert planned is not None
    sizes = {cell.column: schedule_of(planned.runs[cell.run]).batch_size for cell in planned.plan.cells.values()}
    assert sizes == {"MMI": 8, "RAF-DB": 16}


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ({"raf_bd": {}}, "addl.by_dataset names 'raf_bd', which is not described; did you mean 'raf_db'"),
        ({"raf_db": 3}, "addl.by_dataset.raf_db is 3; give parameters of addl"),
        (3, "addl.by_dataset is 3; give parameters by dataset"),
    ],
)
def test_what_is_no_recipe_is_refused(recipes, words):
    with pytest.raises(ParameterError, match=words):
        project_plan(addl={"by_dataset": recipes})


def test_what_is_no_name_of_a_dataset_has_no_recipe_and_is_refused():
    with pytest.raises(ParameterError, match="dataset"):
        project_plan(baseline={"datasets": [{}]})
