"""Runs that the parameters alone show to be unfit, refused before any node of theirs runs."""

from typing import Any

import pytest
from kedro.io import DataCatalog

from openfer.errors import CheckpointError, ParameterError
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.study.pipeline import study_pipeline
from openfer.runs.datasets import Datasets
from openfer.runs.plan import Planner
from openfer.runs.study import plan_study
from openfer.runs.tags import STUDY, TRAINS
from openfer.runs.unfit import refuse_unfit
from tests.pipelines.plans import begin, project_parameters, project_plan

RANDOM: dict[str, Any] = {"initialisation": {"backbone": "none", "entry": None}, "images": {"mean": 0.5, "std": 0.5}}
ALLOWED: dict[str, Any] = RANDOM | {"initialisation": RANDOM["initialisation"] | {"allow_random": True}}


def begin_method(method: str, environment: str, **changes: Any) -> None:
    """Do what Kedro does before the training nodes of a method's pipeline."""
    made = project_plan(environment, **changes)
    begin(runs_pipeline(made.requested[method], made.datasets).only_nodes_with_tags(TRAINS), DataCatalog(), made)


def test_a_rendered_first_stage_of_a_run_on_real_faces_is_refused_with_both_remedies() -> None:
    words = (
        r"addl learns from raf_db, but dfem, which it needs, from rendered faces \(synthetic_pie, synthetic_raf\)\. "
        r"Give dfem\.datasets real faces, .* or set addl\.rendered_prerequisites=true"
    )
    with pytest.raises(ParameterError, match=words):
        begin_method("addl", "base", addl={"datasets": ["raf_db"]})


@pytest.mark.parametrize(
    "changes",
    [
        {"addl": {"datasets": ["raf_db"], "rendered_prerequisites": True}},
        {"addl": {"datasets": ["raf_db"]}, "dfem": {"datasets": ["multi_pie", "raf_db"]}},
        {},
    ],
)
def test_what_is_asked_for_real_or_rendered_throughout_begins(changes: dict[str, Any]) -> None:
    begin_method("addl", "base", **changes)


def test_the_study_on_real_faces_begins_with_its_rendered_first_stage() -> None:
    parameters = {name: value for name, value in project_parameters("base").items() if not name.startswith("_")}
    datasets = Datasets(parameters)
    study = parameters["real_faces"] | {"seeds": [0]}
    for run in plan_study(
        "real_faces", parameters | {"real_faces": study}, Planner(parameters, datasets)
    ).runs.values():
        for part in run.chain():
            refuse_unfit(part, datasets)


def test_to_allow_a_rendered_first_stage_makes_no_other_run() -> None:
    (one,), (other,) = (
        project_plan(addl={"datasets": ["raf_db"], "rendered_prerequisites": allowed}).requested["addl"]
        for allowed in (False, True)
    )
    assert one.slug == other.slug


@pytest.mark.parametrize("method", ["addl", "baseline", "dfem", "manet", "oadn", "fdrl_eca", "scn"])
def test_random_weights_are_refused_where_the_paper_prints_a_trained_start_unless_they_are_asked_for(
    method: str,
) -> None:
    with pytest.raises(ParameterError, match=rf"{method}\.initialisation\.backbone is none, but its paper starts from"):
        begin_method(method, "paper", dataset="raf_db", **{method: RANDOM})
    allowed = project_plan("paper", dataset="raf_db", **{method: ALLOWED})
    (run,) = allowed.requested[method]
    refuse_unfit(run, allowed.datasets)


def test_weights_of_the_manifest_that_are_not_there_are_refused_last() -> None:
    with pytest.raises(CheckpointError, match="the weights msceleb_manet are expected at"):
        begin_method("manet", "paper", dataset="raf_db")


def test_batches_that_cannot_show_the_published_classes_equally_often_are_refused() -> None:
    words = r"sna on affectnet has batches of 63, which cannot show 8 classes equally often; .* of 8, such as 56, or"
    with pytest.raises(ParameterError, match=words):
        begin_method("sna", "paper", dataset="affectnet", sna={"leave_out": []})


@pytest.mark.parametrize("dataset", ["affectnet", "ck_plus", "oulu_casia", "raf_db", "ck_plus_stability"])
def test_sna_begins_on_the_datasets_of_its_paper(dataset: str) -> None:
    begin_method("sna", "paper", dataset=dataset)


def begin_study(**changes: Any) -> None:
    made = project_plan("paper", study="oadn_table3", **changes)
    assert made.study is not None
    begin(study_pipeline(made.study, made.datasets).only_nodes_with_tags(STUDY), DataCatalog(), made)


def test_a_column_of_a_challenge_list_that_the_dataset_is_not_given_is_refused() -> None:
    words = (
        r"Occlusion-AffectNet counts the challenge list 'occlusion', but affectnet\.options\.challenge gives no such"
    )
    with pytest.raises(ParameterError, match=words):
        begin_study()
    lists = {"occlusion": "occlusion.txt", "pose30": "pose30.txt", "pose45": "pose45.txt"}
    begin_study(affectnet={"options": {"challenge": lists}})


def test_a_dataset_tested_on_a_challenge_list_that_it_is_not_given_is_refused() -> None:
    subset = {"protocol": {"kind": "official", "subset": "pose30"}}
    words = r"ferplus\.protocol\.subset is 'pose30', but ferplus\.options\.challenge gives no such list"
    with pytest.raises(ParameterError, match=words):
        project_plan("paper", dataset="ferplus", ferplus=subset)


@pytest.mark.parametrize(
    ("dataset", "fold", "there"), [("ck_plus", 10, "the folds 0 to 9"), ("raf_db", 1, "fold 0 only")]
)
def test_a_fold_that_the_protocol_does_not_make_is_refused(dataset: str, fold: int, there: str) -> None:
    made = project_plan(baseline={"datasets": [dataset], "fold": fold})
    with pytest.raises(ParameterError, match=rf"baseline\.fold is {fold}, but the split of {dataset} has {there}"):
        refuse_unfit(made.requested["baseline"][0], made.datasets)
    refuse_unfit(project_plan(baseline={"datasets": [dataset], "fold": 0}).requested["baseline"][0], made.datasets)
