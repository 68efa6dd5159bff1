"""Mistakes in parameters: one clear error before any node runs."""

from typing import Any

import pytest

from openfer.errors import ParameterError
from openfer.runs.settings import RunSettings
from tests.pipelines.conftest import Project, new_project
from tests.pipelines.in_process import typed
from tests.pipelines.plans import project_plan


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("mistaken") / "project")


@pytest.mark.slow
def test_a_mistake_ends_the_program_with_its_error_alone(project: Project) -> None:
    said = project.run("--pipelines", "addl", "--params", "adl.seed=1", expect=1)
    assert "parameter 'adl' belongs to no pipeline; did you mean 'addl'?" in said
    assert "Traceback" not in said
    assert "running " not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("adl.seed=1", "parameter 'adl' belongs to no pipeline; did you mean 'addl'?"),
        ("addl.sed=1", "sed"),
        ("addl.settings.weights.adversarial=much", "adversarial"),
        ("addl.settings.weights.adverserial=1", "adverserial"),
        (
            "addl.method=adl",
            "addl.method: method 'adl' does not exist; did you mean 'addl'? The methods are addl, addl_va",
        ),
        ("addl.variant=dll_g", "variant is 'dll_g', which addl does not have; its rows are, the nearest first: ddl_g,"),
        ("dfem.variant=dfem", "dfem has one row only"),
        ("addl.training.selections=[best]", "selections"),
        ("synthetic.fer.train_people=-3", "train_people"),
    ],
)
def test_a_mistake_is_one_error_and_no_node_runs(project: Project, parameter: str, words: str) -> None:
    said = typed(project.path, "--pipelines", "addl", "--params", parameter, expect=1)
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize("environment", ["base", "paper"])
def test_every_environment_validates(environment: str) -> None:
    assert settings_of(environment)["addl"].method == "addl"


def settings_of(environment: str, **changes: Any) -> dict[str, RunSettings]:
    """Return the settings of the first requested run of each method."""
    return {name: runs[0].settings for name, runs in project_plan(environment, **changes).requested.items()}


@pytest.mark.parametrize(("old", "new"), [("compared", "compared_methods"), ("addl.tested_on", "addl.test_datasets")])
def test_a_parameter_with_a_new_name_is_refused_with_it(old: str, new: str) -> None:
    method, _, key = old.rpartition(".")
    value = {key: ["baseline", "addl"]}
    with pytest.raises(ParameterError) as refused:
        project_plan(**({method: value} if method else value))
    assert old.rpartition(".")[2] in str(refused.value)
    assert f"it is called {new.rpartition('.')[2]} now" in str(refused.value)


@pytest.mark.parametrize("value", [0, -1, "two", [0, 0], [-1], [], True, 1.5])
@pytest.mark.parametrize("name", ["seeds", "folds"])
def test_what_is_no_number_of_seeds_or_folds_is_one_clear_error(name: str, value: object) -> None:
    words = rf"addl\.{name} is .*; give how many \(3 stands for 0, 1, 2\), or a list of numbers such as \[0, 4\]"
    with pytest.raises(ParameterError, match=words):
        project_plan(addl={name: value})


def test_all_folds_of_a_dataset_are_one_run_each() -> None:
    folded = {"reader": "ck_plus", "root": "x", "protocol": {"kind": "subject_folds", "folds": 4, "lists": False}}
    plan = project_plan(ck_plus=folded, addl={"datasets": ["ck_plus"], "folds": "all", "seeds": [0, 3]})
    asked = [(run.settings.seed, run.settings.fold) for run in plan.requested["addl"]]
    assert asked == [(seed, fold) for seed in (0, 3) for fold in range(4)]
    assert len({run.slug for run in plan.requested["addl"]}) == len(asked)
    assert len({run.configuration for run in plan.requested["addl"]}) == 1
    (only,) = project_plan(addl={"folds": "all"}).requested["addl"]
    assert only.settings.fold == 0
