"""Studies as plans: all papers' tables, runs that rows share, and mistakes."""

from typing import Any

import pytest

from openfer.errors import ParameterError
from openfer.nn.weight_manifest import with_weights
from openfer.pipelines.study.nodes import _wanted
from openfer.runs.datasets import Datasets
from openfer.runs.plan import Planner
from openfer.runs.project import plan
from openfer.runs.study import PlannedStudy, is_study, plan_study
from openfer.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS
from openfer.tracking import _plain, flatten
from tests.pipelines.conftest import ROOT
from tests.runs.test_plan import FOLDED, METHOD

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
OF_PAPER = [
    *(f"addl_table{number}" for number in (8, 9, 10, 11)),
    "addl_fig7_mmi",
    *(f"sna_table{number}" for number in (3, 4, 5)),
]
"""Studies of real datasets alone: on rendered faces they would be others once more."""

UNPUBLISHED = {"attributes", "backbone", "SNA without mask", "SNA", "w/o mask"}
"""Rows that openfer adds to the papers', and those of SNA, which has no figure of RAF-DB."""

PARAMETERS: dict[str, Any] = {
    "a": FOLDED | {"protocol": {"kind": "image_folds", "folds": 5}},
    "baseline": METHOD | {"method": "baseline"},
    "addl": METHOD | {"method": "addl"},
    "dfem": METHOD | {"method": "dfem", "datasets": ["b"]},
    "study": "tiny",
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


def planned(parameters=PARAMETERS) -> PlannedStudy:
    found = plan(parameters).study
    assert found is not None
    return found


def run_of(study: PlannedStudy, cell: str):
    return study.runs[study.plan.cells[cell].run]


@pytest.fixture(scope="module", params=["base", "paper"])
def project(request):
    """Return the project's parameters, and what plans its studies."""
    loader = CONFIG_LOADER_CLASS(str(ROOT / "conf"), env=request.param, **CONFIG_LOADER_ARGS | {"local_env": None})
    parameters = with_weights(loader["parameters"], loader["weights"])
    parameters = {name: value for name, value in parameters.items() if not name.startswith("_")}
    return parameters, Planner(parameters, Datasets(parameters))


def of_project(name, project) -> PlannedStudy:
    return plan_study(name, *project)


def test_every_table_of_the_papers_is_a_study_whose_runs_are_valid(project):
    studies = [name for name, value in project[0].items() if is_study(value)]
    assert {*TABLES, "first_study", "addl_disentangled"} <= set(studies)
    assert not set(OF_PAPER) & set(studies) or set(OF_PAPER) <= set(studies)
    for name in studies:
        whole = of_project(name, project)
        study = whole.plan.study
        assert len(whole.plan.cells) == len(study.seeds) * len(study.rows) * sum(
            len(column.folds) for column in study.columns.values()
        )
        for cell in whole.plan.cells.values():
            run = whole.runs[cell.run]
            assert (run.settings.seed, run.settings.fold) == (cell.seed, cell.fold)
            assert run.method == study.rows[cell.row].method
            assert run.settings.datasets == study.columns[cell.column].datasets


def test_every_row_of_a_published_table_finds_its_figure(project):
    for name in (*TABLES, *(name for name in OF_PAPER if name in project[0])):
        study = of_project(name, project).plan.study
        if "Fig." in study.title:
            continue
        without = {want.row for want in _wanted(study) if want.published is None}
        assert without <= UNPUBLISHED, name


@pytest.mark.parametrize("project", ["paper"], indirect=True)  # in base the tables have budgets of their own
def test_the_comparison_of_all_papers_is_of_the_runs_of_their_own_tables(project):
    together = of_project("five_papers", project).plan.cells
    for row, study, own in (
        ("Baseline", "addl_table3", "Baseline"),
        ("ADDL", "addl_table3", "ADDL"),
        ("MA-Net + diversity", "diversified_table1", "MA-Net + diversity"),
        ("OADN", "oadn_table1", "OADN"),
    ):
        cells = of_project(study, project).plan.cells
        assert together[f"{row}, RAF-DB, seed 0, fold 0"].run == cells[f"{own}, RAF-DB, seed 0, fold 0"].run, row
    esr = of_project("five_papers", project).runs[together["ESR + diversity, RAF-DB, seed 0, fold 0"].run]
    assert not esr.settings.declared.fine_tunes(esr.settings.settings)  # its table starts from AffectNet


@pytest.mark.parametrize("project", ["paper"], indirect=True)
def test_esr_is_fine_tuned_from_the_same_row_trained_on_affectnet(project):
    study = of_project("diversified_table1", project)
    rows = [name for name in study.plan.study.rows if name.startswith("ESR")]
    assert len(rows) == 8
    for row in rows:
        first = run_of(study, f"{row}, AffectNet-8, seed 0, fold 0")
        assert first.settings.initialisation.is_random
        for column in ("RAF-DB", "FER+"):
            run = run_of(study, f"{row}, {column}, seed 0, fold 0")
            assert run.prerequisites["esr"] == first
            assert run.settings.settings.growth.fine_tuning


def test_every_row_has_one_seed_before_any_has_two():
    assert [(cell.seed, cell.row) for cell in planned().plan.cells.values()] == [
        (seed, row) for seed in (0, 1) for row in PARAMETERS["tiny"]["rows"]
    ]


def test_rows_with_equal_prerequisites_share_them():
    study = planned()
    first, second = (run_of(study, f"{row}, A, seed 0, fold 0") for row in ("ADDL", "ADDL without adversary"))
    assert first.prerequisites["dfem"].slug == second.prerequisites["dfem"].slug
    assert first.slug != second.slug
    assert run_of(study, "ADDL, A, seed 1, fold 0").prerequisites["dfem"].settings.seed == 1


def test_a_row_that_changes_nothing_is_the_run_of_the_methods_own_pipeline():
    asked = plan(PARAMETERS)
    for method, row in (("baseline", "Baseline"), ("addl", "ADDL")):
        assert run_of(planned(), f"{row}, A, seed 0, fold 0").slug == asked.requested[method][0].slug


def test_what_a_method_is_asked_for_by_itself_is_no_part_of_a_studys_run():
    alone = PARAMETERS["baseline"] | {"test_datasets": ["elsewhere"], "fresh": True, "seeds": 5, "folds": "all"}
    assert planned(PARAMETERS | {"baseline": alone}) == planned()


def test_a_prerequisite_has_not_learned_from_the_faces_that_are_tested():
    folded = changed(columns={"A": {"datasets": ["a"], "folds": [0, 1]}})
    own = planned(folded | {"dfem": PARAMETERS["dfem"] | {"datasets": ["a"]}})
    other = planned(folded)
    for study, fold in ((own, 1), (other, 0)):
        run = run_of(study, "ADDL, A, seed 0, fold 1")
        assert (run.settings.fold, run.prerequisites["dfem"].settings.fold) == (1, fold)


def two_columns(**changes):
    columns = {"A": {"datasets": ["a"]}, "B": {"datasets": ["b"], "changes": {"baseline": changes}}}
    return changed(columns=columns, rows={"Baseline": {"method": "baseline"}})


def test_a_column_may_start_from_the_same_row_trained_on_another_one():
    study = planned(two_columns(initialisation={"column": "A"}))
    first, second = (run_of(study, f"Baseline, {column}, seed 1, fold 0") for column in "AB")
    assert second.prerequisites == {"baseline": first}
    assert [run.slug for run in second.chain()] == [first.slug, second.slug]
    assert second.settings.start == "baseline"
    alone = run_of(planned(two_columns()), "Baseline, B, seed 1, fold 0")
    assert alone.slug != second.slug


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            two_columns(initialisation={"column": "C"}),
            r"initialisation\.column is 'C'; give a column of the study.*: A",
        ),
        (
            two_columns(initialisation={"column": "B"}),
            r"initialisation\.column is 'B'; give a column of the study.*: A",
        ),
        (
            two_columns() | {"baseline": PARAMETERS["baseline"] | {"initialisation": {"column": "A"}}},
            r"initialisation\.column is 'A'; .*only the changes of a study",
        ),
        (two_columns(initialisation={"column": "A", "backbone": "x.pth"}), "both give the first weights"),
    ],
)
def test_a_start_that_is_not_there_or_goes_round_is_refused(parameters, words):
    with pytest.raises(ParameterError, match=words):
        plan(parameters)


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (
            {"runs": {"adl": {}}},
            r"tiny\.runs changes 'adl', but there is no run of it here; the runs are of addl, baseline, dfem",
        ),
        (
            {"rows": {"x": {"method": "baseline", "changes": {"addl": {}}}, "y": {"method": "addl"}}},
            r"tiny\.rows\.x\.changes changes 'addl', but there is no run of it here; the runs are of baseline",
        ),
        (
            {"runs": {"addl": {"datasets": ["b"], "seed": 3}}},
            r"tiny\.runs\.addl sets datasets, seed, which the study's",
        ),
        (
            {"runs": {"dfem": {"fresh": True}}},
            r"tiny\.runs\.dfem sets fresh, which the study's seeds, columns and rows",
        ),
        ({"runs": {"addl": {"seeds": 3, "folds": 2}}}, r"tiny\.runs\.addl sets folds, seeds, which the study's"),
        (
            {"columns": {"A": {"datasets": ["a"], "folds": [1, 1]}}},
            r"tiny\.columns\.A\.folds: .*seeds and folds are numbers from 0 on, each once; they are \[1, 1\]",
        ),
        ({"rows": {"x": {"method": "adl"}}}, r"tiny\.rows\.x\.method: .*method 'adl' does not exist"),
        ({"seeds": [0, 0]}, r"tiny\.seeds: .*seeds and folds are numbers from 0 on, each once; they are \[0, 0\]"),
        ({"measures": ["acuracy"]}, r"tiny\.measures\.0: .*'acuracy'"),
        (
            {"columns": {"A": {"datasets": ["a"], "counts": {"by": "challenge"}}}},
            r"tiny\.columns\.A\.counts: .*a subset is \{dataset: \.\.\.\}, or",
        ),
        ({"rows": {"x": {"method": "addl", "sweep": "T"}}}, "sweep names a parameter and at its value: give both"),
        ({"colums": {}}, r"tiny\.colums: there is no such parameter"),
        (
            {"runs": {"addl": {"settings": {"weights": {"adversrial": 1.0}}}}},
            r"tiny, row ADDL, column A: addl\.settings\.weights\.adversrial: there is no such parameter",
        ),
        (
            {"rows": {"x": {"method": "baseline", "variant": "baseline_mta"}}},
            r"tiny, row x, column A: .*variant is 'baseline_mta'.*the nearest first: baseline_mat",
        ),
    ],
)
def test_a_mistake_in_a_study_is_one_error_that_names_it(study, words):
    with pytest.raises(ParameterError, match=words):
        plan(changed(**study))


def test_a_study_that_is_not_described_is_refused_with_the_nearest_name():
    with pytest.raises(ParameterError, match=r"study is 'tyny', which .* did you mean 'tiny'\?"):
        plan(PARAMETERS | {"study": "tyny"})
    found = plan(PARAMETERS)
    assert found.parameters["study_plan"]["name"] == "tiny"
    assert set(found.study.runs) == {cell.run for cell in found.study.plan.cells.values()} <= set(found.runs)


def test_a_project_without_studies_has_none_unless_one_is_asked_for():
    without = {name: block for name, block in PARAMETERS.items() if name not in ("study", "tiny")}
    assert plan(without).study is None
    with pytest.raises(ParameterError, match=r"study is 'tiny', which .*; the studies are none"):
        plan(without | {"study": "tiny"})


def test_probes_ask_for_faces_of_which_every_factor_is_known():
    with pytest.raises(ParameterError, match=r"tiny\.probes is true, but not every factor of a is labelled;"):
        plan(changed(probes=True))


def test_mlflow_keeps_what_a_study_is_and_not_each_of_its_runs():
    kept = flatten(_plain(planned().plan))
    assert kept["study.title"] == "Tiny"
    assert not [name for name in kept if name.startswith("cells")]


@pytest.mark.parametrize("start", ["./mine.pth", "none", "pretrain"])
def test_a_row_with_first_weights_of_its_own_does_not_start_from_those_of_the_method(start: str) -> None:
    entry = {"path": "theirs.pth", "architecture": "resnet18", "licence": "CC0-1.0", "origin": "somebody"}
    rows = {"Own": {"method": "baseline", "changes": {"baseline": {"initialisation": {"backbone": start}}}}}
    asked = PARAMETERS | {
        "baseline": PARAMETERS["baseline"] | {"initialisation": {"backbone": "theirs"}},
        "pretrain": METHOD | {"method": "pretrain"},
        "tiny": PARAMETERS["tiny"] | {"rows": rows},
    }
    made = plan(with_weights(asked, {"theirs": entry}))
    assert made.study is not None
    for run in made.study.runs.values():
        first = run.settings.initialisation
        assert (first.backbone, first.entry) == (start, None)
        assert str(first.file) == ("mine.pth" if start == "./mine.pth" else "None")
